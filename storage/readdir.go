package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
)

// readDirBatch is how many members the fallback of ReadDir asks for at a time.
const readDirBatch = 256

// DirReader is an [FS] that reads a collection as a stream.
type DirReader interface {
	FS

	// ReadDir yields the members of the collection name, in no particular
	// order, each described as [Lstater] would. An error ends the stream.
	ReadDir(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error]
}

// ReadDir yields the members of the collection name in no particular order,
// symbolic links as links. The last pair may hold an error: the one that kept
// the rest from being read, or ctx's. Without a [DirReader] it opens the
// collection and calls Readdir, a few hundred members at a time.
func ReadDir(ctx context.Context, fsys FS, name string) iter.Seq2[fs.FileInfo, error] {
	if r, ok := fsys.(DirReader); ok {
		return r.ReadDir(ctx, name)
	}
	return func(yield func(fs.FileInfo, error) bool) {
		f, err := fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		for {
			infos, err := f.Readdir(readDirBatch)
			for _, info := range infos {
				if !yield(info, nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) || (err == nil && len(infos) == 0) {
				return
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, &fs.PathError{Op: "readdir", Path: name, Err: Cause(err)})
				return
			}
		}
	}
}
