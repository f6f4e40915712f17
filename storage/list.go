package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// listChunk is how many members the fallback of List requests at a time.
const listChunk = 256

// Lister is an [FS] that separates finding the members of a collection, which is
// sequential, from describing them, which several goroutines can do.
type Lister interface {
	FS

	// List opens the collection name for listing.
	List(ctx context.Context, name string) (Listing, error)
}

// Listing is a collection that is open for listing. It finds members sequentially.
type Listing interface {
	// Next finds more members, a few thousand at most. It returns io.EOF together
	// with the last of them or alone. Any other error ends the listing.
	Next(ctx context.Context) (Members, error)
	// Close ends the use of the Listing and of its Members.
	Close() error
}

// Members are some of the members of a collection, in the order of the listing. That order has
// no meaning.
type Members interface {
	Len() int
	// Describe appends to dst the members with the indexes [from, to), each as
	// [Lstater] would describe it, and returns the result. It may omit members that no
	// longer exist. It is safe for concurrent use, also together with Next.
	Describe(ctx context.Context, from, to int, dst []Entry) []Entry
}

// Entry is a member of a collection: the last segment of its name, and its description
// or the reason why it has none.
type Entry struct {
	Name string
	Info fs.FileInfo
	Err  error
}

// List opens the collection name for listing. Without a [Lister] it calls Readdir of the
// open collection for a few hundred members at a time, which describes them too.
func List(ctx context.Context, fsys FS, name string) (Listing, error) {
	if lister, ok := fsys.(Lister); ok {
		return lister.List(ctx, name)
	}
	f, err := fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return &listedFile{File: f, name: name}, nil
}

// described are Members that already have descriptions.
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
