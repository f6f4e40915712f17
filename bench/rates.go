package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
)

// each makes n requests on the trial's connections, all at a time, and stops
// at the first that fails. The request is told its connection and number there.
func (t *trial) each(n int, request func(c *client, conn, i int) error) error {
	errs := make([]error, len(t.clients))
	var senders sync.WaitGroup
	for conn, c := range t.clients {
		senders.Go(func() {
			for i := 0; i < n/len(t.clients) && errs[conn] == nil; i++ {
				errs[conn] = request(c, conn, i)
			}
		})
	}
	senders.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// rate is a work of n small requests on so many connections.
func rate(name string, conns, n int, request func(ctx context.Context, c *client, conn, i int) error) *work {
	do := timed(func(ctx context.Context, t *trial) error {
		return t.each(n, func(c *client, conn, i int) error { return request(ctx, c, conn, i) })
	})
	if conns == 1 {
		name += ", 1 connection"
	} else {
		name += fmt.Sprintf(", %d connections", conns)
	}
	return &work{name: name, conns: conns, do: do, measures: []metric{{unit: unit{float64(n), perSecond}}}}
}

func propfindRate(conns, n int) *work {
	header, body := xmlHeader("0"), []byte(namedBody)
	w := rate("PROPFIND 0 of a file", conns, n, func(ctx context.Context, c *client, _, _ int) error {
		_, err := c.do(ctx, "PROPFIND", "/"+smallName, header, body, multistatus(1), true)
		return err
	})
	w.floors = []floor{emptyFloor(conns, n, "PROPFIND", header, body)}
	return w
}

// emptyFloor is what net/http and this client can do at most.
func emptyFloor(conns, n int, method string, header []string, body []byte) floor {
	w := rate("", conns, n, func(ctx context.Context, c *client, _, _ int) error {
		_, err := c.do(ctx, method, "/"+smallName, header, body, skip, false)
		return err
	})
	return floor{name: emptyName, do: w.do, empty: true}
}

func getWorks() []*work {
	small := rate("GET 1 KiB", 16, 20_000, func(ctx context.Context, c *client, _, _ int) error {
		return getSmall(ctx, c)
	})
	small.floors = []floor{emptyFloor(16, 20_000, "GET", nil, nil)}
	return []*work{small, {
		name: "GET 512 MiB, discarded", measures: []metric{{unit: unit{bigSize, bytesPerSecond}}}, reads: []string{bigName},
		do: timed(func(ctx context.Context, t *trial) error {
			a, err := t.request(ctx, "GET", "/"+bigName, nil, "", drop)
			if err == nil && a.length != bigSize {
				err = &wrongError{fmt.Sprintf("%d bytes", a.length)}
			}
			return err
		}),
	}}
}

var smallContent = content(0, kib)

func getSmall(ctx context.Context, c *client) error {
	_, err := c.do(ctx, "GET", "/"+smallName, nil, nil, expect(smallContent), false)
	return err
}

const putName = "put"

// putFiles is how many files each of the 16 connections makes, in a collection
// of its own.
const putFiles = 500

func putWorks() []*work {
	small := rate("PUT 1 KiB", 16, 16*putFiles, func(ctx context.Context, c *client, conn, i int) error {
		path := "/" + putName + "/" + strconv.Itoa(conn) + "/f" + strconv.Itoa(i) + ".txt"
		_, err := c.do(ctx, "PUT", path, nil, smallContent, skip, false)
		return err
	})
	small.writes = true
	small.before = func(t *trial) error {
		for conn := range 16 {
			if err := os.MkdirAll(t.in(putName+"/"+strconv.Itoa(conn)), 0o750); err != nil {
				return err
			}
		}
		return t.owner.giveTree(t.in(putName))
	}
	small.check = func(t *trial) error {
		return checkTree("", t.in(putName), layout{collections: 16, files: putFiles, size: kib})
	}
	small.after = func(t *trial) error { return t.remove(putName) }
	return []*work{small, {
		name: "PUT 512 MiB", measures: []metric{{unit: unit{bigSize, bytesPerSecond}}}, reads: []string{bigName}, writes: true,
		do: timed(func(ctx context.Context, t *trial) error {
			file, err := os.Open(t.in(bigName))
			if err != nil {
				return err
			}
			_, err = t.clients[0].upload(ctx, "/put.bin", file, bigSize)
			return errors.Join(err, file.Close())
		}),
		check: func(t *trial) error { return checkBig(t.in(bigName), t.in("put.bin")) },
		after: func(t *trial) error { return t.remove("put.bin") },
	}}
}
