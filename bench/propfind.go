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
	long              bool
}

func propfindWorks() []*work {
	var works []*work
	for _, l := range []listing{
		{"PROPFIND infinity of 10,000 files", manyName, "infinity", many.members(), false},
		{"PROPFIND infinity of 100,000 files", listName, "infinity", list1k.members(), true},
		{"PROPFIND 1 of 20,000 files", flatName, "1", 20_001, false},
	} {
		works = append(works, l.work("4 properties", namedBody), l.work("allprop", allpropBody))
	}
	return append(works, propfindRate(1, 4000), propfindRate(16, 20_000))
}

// work lists, and measures when the first byte comes, too.
func (l listing) work(properties, body string) *work {
	return &work{
		name: l.what + ", " + properties, reads: []string{l.name}, long: l.long,
		measures: []metric{{}, {name: "first byte"}},
		do: func(ctx context.Context, t *trial) ([]time.Duration, error) {
			start := time.Now()
			a, err := t.request(ctx, "PROPFIND", "/"+l.name+"/", xmlHeader(l.depth), body, multistatus(l.members))
			return []time.Duration{time.Since(start), a.first.Sub(start)}, err
		},
		floors: []floor{{name: "walk + statx", do: timed(func(_ context.Context, t *trial) error {
			n, err := walk(t.in(l.name))
			if err == nil && n != l.members {
				err = &wrongError{"it has missed some"}
			}
			return err
		})}},
	}
}

func xmlHeader(depth string) []string {
	return []string{"Depth: " + depth, "Content-Type: application/xml"}
}
