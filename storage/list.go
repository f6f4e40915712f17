package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
)

// listChunk is how many members the fallback of List asks for at a time.
const listChunk = 256

// Lister is an [FS] that finds the members of a collection, which is one after
// the other, apart from describing them, which several goroutines can.
type Lister interface {
	FS

	// List opens the collection name to be listed.
	List(ctx context.Context, name string) (Listing, error)
}

// Listing is an open collection of which the members are found one after the
// other.
type Listing interface {
	// Next finds some of the members, a few thousand at most. With the last of
	// them, or with none, it returns io.EOF. Any other error ends the listing.
	Next(ctx context.Context) (Members, error)
	// Close ends the use of the Listing and of its Members.
	Close() error
}

// Members are some of a collection's, in the order in which they were found,
// which is no particular one.
type Members interface {
	Len() int
	// Describe appends the members from up to, and without, to, each as [Lstater]
	// would describe it, to dst and returns that. One that is gone may be left
	// out. It is safe for concurrent use, also with Next.
	Describe(ctx context.Context, from, to int, dst []Entry) []Entry
}

// Entry is a member of a collection: its last segment, and its description or
// why there is none.
type Entry struct {
	Name string
	Info fs.FileInfo
	Err  error
}

// List opens the collection name to be listed. Without a [Lister] it makes the
// Listing of what a [DirReader] yields or, without that either, of what Readdir
// returns, a few hundred members at a time: they come with their descriptions.
func List(ctx context.Context, fsys FS, name string) (Listing, error) {
	switch fsys := fsys.(type) {
	case Lister:
		return fsys.List(ctx, name)
	case DirReader:
		next, stop := iter.Pull2(fsys.ReadDir(ctx, name))
		return &listedStream{next: next, stop: stop}, nil
	}
	f, err := fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return &listedFile{File: f, name: name}, nil
}

// described are Members that have come with their descriptions.
type described []fs.FileInfo

func (d described) Len() int { return len(d) }

func (d described) Describe(_ context.Context, from, to int, dst []Entry) []Entry {
	for _, info := range d[from:to] {
		dst = append(dst, Entry{Name: info.Name(), Info: info})
	}
	return dst
}

// listedFile is the Listing of an open collection.
type listedFile struct {
	File
	name string
}

func (l *listedFile) Next(ctx context.Context) (Members, error) {
	infos, err := l.Readdir(listChunk)
	if err == nil && len(infos) == 0 {
		err = io.EOF
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = &fs.PathError{Op: "readdir", Path: l.name, Err: Cause(err)}
	}
	return described(infos), err
}

// listedStream is the Listing of a stream.
type listedStream struct {
	next func() (fs.FileInfo, error, bool)
	stop func()
}

func (l *listedStream) Next(context.Context) (Members, error) {
	var infos described
	for len(infos) < listChunk {
		info, err, ok := l.next()
		if !ok {
			err = io.EOF
		}
		if err != nil {
			return infos, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func (l *listedStream) Close() error {
	l.stop()
	return nil
}
