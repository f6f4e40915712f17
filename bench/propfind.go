package main

import (
	"context"
	"fmt"
	"time"
)

const (
	namedBody   = `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>`
	allpropBody = `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><allprop/></propfind>`
)

// listing is a PROPFIND of a collection.
type listing struct {
	what, name, depth string
	members           int
	long              bool // omitted in quick mode
	alone             bool // only done by davd
}

func propfindWorks() []*work {
	var works []*work
	for _, l := range []listing{
		{what: "PROPFIND infinity of 10,000 files", name: manyName, depth: "infinity", members: many.members()},
		{what: "PROPFIND infinity of 100,000 files", name: listName, depth: "infinity", members: list1k.members(), long: true},
		{what: "PROPFIND 1 of 20,000 files", name: flatName, depth: "1", members: 1 + flatFiles},
	} {
		works = append(works, l.work("4 properties", namedBody), l.work("allprop", allpropBody))
	}
	million := listing{what: "PROPFIND 1 of a million files", name: millionName, depth: "1", members: 1 + millionFiles, long: true, alone: true}
	works = append(works, million.work("4 properties", namedBody))
	return append(works, crawlWork(1), crawlWork(8), propfindRate(1, 4000), propfindRate(16, 20_000))
}

// work returns the work that lists the collection. It also measures the time to the first byte.
func (l listing) work(properties, body string) *work {
	return &work{
		name: l.what + ", " + properties, reads: []string{l.name}, long: l.long, alone: l.alone,
		measures: []metric{{}, {name: "first byte"}},
		do: func(ctx context.Context, t *trial) ([]time.Duration, error) {
			start := time.Now()
			a, err := t.request(ctx, "PROPFIND", "/"+l.name+"/", xmlHeader(l.depth), body, multistatus(l.members))
			return []time.Duration{time.Since(start), a.first.Sub(start)}, err
		},
		floors: []floor{walkFloor(l.name, l.members)},
	}
}

// walkFloor is the time that the kernel needs for the metadata of a whole tree.
func walkFloor(name string, members int) floor {
	return floor{name: "walk + statx", do: timed(func(_ context.Context, t *trial) error {
		n, err := walk(t.in(name))
		if err == nil && n != members {
			err = &wrongError{"members are missing"}
		}
		return err
	})}
}

// crawlWork returns the work that lists one collection after the other, as a client does that
// walks through a tree. conns clients do this at the same time.
func crawlWork(conns int) *work {
	w := &work{
		name: "PROPFIND 1 of each of 1,000 collections", measures: seconds, reads: []string{listName}, conns: conns,
		do: timed(func(ctx context.Context, t *trial) error {
			return t.each(list1k.collections, func(c *client, conn, i int) error {
				target := "/" + listName + "/" + collectionName(i*conns+conn) + "/"
				_, err := c.do(ctx, "PROPFIND", target, xmlHeader("1"), []byte(namedBody), multistatus(1+list1k.files), true)
				return err
			})
		}),
	}
	if conns > 1 {
		w.name += fmt.Sprintf(", %d connections", conns)
		return w
	}
	w.floors = []floor{walkFloor(listName, list1k.members())}
	return w
}

// propfindSmall requests four properties of the small file.
func propfindSmall(ctx context.Context, c *client) error {
	_, err := c.do(ctx, "PROPFIND", "/"+smallName, xmlHeader("0"), []byte(namedBody), multistatus(1), true)
	return err
}

func xmlHeader(depth string) []string {
	return []string{"Depth: " + depth, "Content-Type: application/xml"}
}
