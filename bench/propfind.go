package main

import (
	"context"
	"time"
)

const (
	namedBody   = `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>`
	allpropBody = `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><allprop/></propfind>`
)

// listing is a collection that is listed, at a depth.
type listing struct {
	what, name, depth string
	members           int
	long              bool // not for the quick mode
	alone             bool // by davd
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
	return append(works, crawlWork(), propfindRate(1, 4000), propfindRate(16, 20_000))
}

// work lists, and measures when the first byte comes, too.
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

// walkFloor is what the kernel needs to tell all about a tree.
func walkFloor(name string, members int) floor {
	return floor{name: "walk + statx", do: timed(func(_ context.Context, t *trial) error {
		n, err := walk(t.in(name))
		if err == nil && n != members {
			err = &wrongError{"it has missed some"}
		}
		return err
	})}
}

// crawlWork lists a tree as most clients do, collection by collection.
func crawlWork() *work {
	return &work{
		name: "PROPFIND 1 of each of 1,000 collections", measures: seconds, reads: []string{listName},
		do: timed(func(ctx context.Context, t *trial) error {
			for i := range list1k.collections {
				_, err := t.request(ctx, "PROPFIND", "/"+listName+"/"+collectionName(i)+"/", xmlHeader("1"), namedBody, multistatus(1+list1k.files))
				if err != nil {
					return err
				}
			}
			return nil
		}),
		floors: []floor{walkFloor(listName, list1k.members())},
	}
}

// propfindSmall asks for four properties of the small file.
func propfindSmall(ctx context.Context, c *client) error {
	_, err := c.do(ctx, "PROPFIND", "/"+smallName, xmlHeader("0"), []byte(namedBody), multistatus(1), true)
	return err
}

func xmlHeader(depth string) []string {
	return []string{"Depth: " + depth, "Content-Type: application/xml"}
}
