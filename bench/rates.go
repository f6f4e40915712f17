package main

import (
	"context"
	"fmt"
	"sync"
)

// each sends n requests, divided between the trial's connections, which work at the same time. A
// connection stops at the first error. request gets the number of the connection, and the number
// of the request on that connection.
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

// rate returns a work of n small requests on conns connections.
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
	w := rate("PROPFIND 0 of a file", conns, n, func(ctx context.Context, c *client, _, _ int) error {
		return propfindSmall(ctx, c)
	})
	w.floors = []floor{emptyFloor(conns, n, "PROPFIND", xmlHeader("0"), []byte(namedBody))}
	return w
}

// emptyFloor is the highest rate that net/http and this client can reach.
func emptyFloor(conns, n int, method string, header []string, body []byte) floor {
	w := rate("", conns, n, func(ctx context.Context, c *client, _, _ int) error {
		_, err := c.do(ctx, method, "/"+smallName, header, body, skip, false)
		return err
	})
	return floor{name: emptyName, do: w.do, empty: true}
}
