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
		var entries []Entry
		for size := firstDescribed; ; {
			members, err := listing.Next(ctx)
			for from, to := 0, 0; members != nil && to < members.Len(); from = to {
				to = min(from+size, members.Len())
				size = min(2*size, mostDescribed)
				entries = members.Describe(ctx, from, to, entries[:0])
				if !yieldAll(entries, yield) {
					return
				}
				if err := ctx.Err(); err != nil {
					yield(nil, &fs.PathError{Op: "readdir", Path: name, Err: err})
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// yieldAll yields entries, and reports whether the loop wants more.
func yieldAll(entries []Entry, yield func(fs.FileInfo, error) bool) bool {
	for _, entry := range entries {
		if !yield(entry.Info, entry.Err) || entry.Err != nil {
			return false
		}
	}
	return true
}
