package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
)

// ReadDir describes members in batches. The first batch is small, so that the first
// members are available early, and the size doubles up to the largest.
const (
	firstDescribed = 8
	mostDescribed  = 256
)

// ReadDir yields the members of the collection name in no particular order. It describes
// symbolic links as links. The last pair may contain an error: the reason why the rest
// couldn't be read, or the error of ctx. It uses [List].
func ReadDir(ctx context.Context, fsys FS, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		listing, err := List(ctx, fsys, name)
		if err != nil {
			yield(nil, err)
			return
		}
		defer listing.Close()
		d := describer{yield: yield, size: firstDescribed}
		for {
			members, err := listing.Next(ctx)
			if members != nil && !d.describe(ctx, name, members) || errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// describer yields the members of a collection.
type describer struct {
	yield   func(fs.FileInfo, error) bool
	size    int // of the next batch
	entries []Entry
}

// describe yields members. It reports whether ReadDir should continue.
func (d *describer) describe(ctx context.Context, name string, members Members) bool {
	for from := 0; from < members.Len(); {
		to := min(from+d.size, members.Len())
		d.entries = members.Describe(ctx, from, to, d.entries[:0])
		for _, entry := range d.entries {
			if !d.yield(entry.Info, entry.Err) || entry.Err != nil {
				return false
			}
		}
		if err := ctx.Err(); err != nil {
			d.yield(nil, &fs.PathError{Op: "readdir", Path: name, Err: err})
			return false
		}
		from, d.size = to, min(2*d.size, mostDescribed)
	}
	return true
}
