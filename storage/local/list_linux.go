package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

var _ storage.Lister = (*FS)(nil)

// listBuffer is how many bytes of a collection are read at a time: about a thousand
// members.
const listBuffer = 32 << 10

var listBuffers = sync.Pool{New: func() any { return new([listBuffer]byte) }}

// List opens the collection name. It describes the members as Lstat does. It asks the
// kernel by the open collection, so renaming the collection meanwhile doesn't matter. Sys
// of a description is a storage.Facts.
func (f *FS) List(ctx context.Context, name string) (storage.Listing, error) {
	local, err := started(ctx, "open", name, fs.ErrNotExist)
	if err != nil {
		return nil, err
	}
	dir, err := f.openListing(ctx, name, local)
	if err != nil {
		return nil, f.failed("open", name, err, reading)
	}
	return &listing{fsys: f, dir: dir, fd: int(dir.Fd()), name: name}, nil
}

// openListing opens the collection local for reading.
func (f *FS) openListing(ctx context.Context, name, local string) (*os.File, error) {
	fd, ok := f.short.open(local, unix.O_RDONLY)
	if f.hidden(ctx, name, !ok) {
		if ok {
			_ = unix.Close(fd)
		}
		return nil, errHidden
	}
	if ok {
		return os.NewFile(uintptr(fd), local), nil
	}
	return f.root.OpenFile(local, unix.O_RDONLY|unix.O_DIRECTORY|nonblock, 0)
}

// listing is a collection that is open for listing.
type listing struct {
	fsys *FS
	dir  *os.File
	fd   int // the descriptor of dir
	name string
}

func (l *listing) Close() error { return l.dir.Close() }

// Next reads until at least half of the buffer is full, so that one call is enough for a
// small collection.
func (l *listing) Next(ctx context.Context) (storage.Members, error) {
	if err := ctx.Err(); err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: l.name, Err: err}
	}
	buf, _ := listBuffers.Get().(*[listBuffer]byte)
	defer listBuffers.Put(buf)
	var end error
	filled := 0
	for filled < listBuffer/2 && end == nil {
		n, err := retry(func() (int, error) { return unix.Getdents(l.fd, buf[filled:]) })
		switch {
		case err != nil && !errors.Is(err, unix.ENOENT): // ENOENT: the collection has been removed
			end = l.fsys.failed("readdir", l.name, err, reading)
		case n <= 0:
			end = io.EOF
		default:
			filled += n
		}
	}
	return &members{of: l, names: entries(buf[:filled])}, end
}

// members are some of the members of a listing.
type members struct {
	of    *listing
	names []terminated
}

func (m *members) Len() int { return len(m.names) }

// Describe makes one allocation for all descriptions.
func (m *members) Describe(_ context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	infos := make([]info, to-from)
	var stat unix.Statx_t
	for i, name := range m.names[from:to] {
		errno := statx(m.of.fd, name, &stat)
		switch {
		case errno == 0:
			infos[i].fill(name.name(), &stat)
			dst = append(dst, storage.Entry{Name: infos[i].name, Info: &infos[i]})
		case errno != unix.ENOENT: // ENOENT: the member has been removed
			err := m.of.fsys.failed("lstat", path.Join(m.of.name, name.name()), errno, reading)
			dst = append(dst, storage.Entry{Name: name.name(), Err: err})
		}
	}
	runtime.KeepAlive(m.of.dir)
	return dst
}
