// Package aferofs serves any afero.Fs as a storage.FS.
//
// The backends of afero differ in what they let pass. An [FS] gives them the
// semantics of package storage: a missing parent is never created, nothing
// replaces a collection, a collection is not opened to be written, O_EXCL
// holds, a fs.FileInfo is a snapshot, Readdir ends with io.EOF, and an error
// carries the name that the caller knows and no other.
//
// # Symbolic links
//
// A backend follows symbolic links wherever they lead. So an FS follows none:
// where the backend is an afero.Lstater, a link is as if not there
// (fs.ErrNotExist), and so is every name that goes through one. Lstat, Remove,
// RemoveAll and Rename act on the link itself. FIFOs, sockets and devices are
// as if not there too. A backend that is no afero.Lstater is trusted to have
// no links that lead out.
//
// This is checked before the backend is called. Who can make links on the disk
// of an afero.OsFs by other means can get between the two: package
// storage/local serves a directory without that gap, and faster.
//
// # Concurrency
//
// An FS orders its own calls: making, removing and renaming wait for one
// another where they must, reading and writing an open file and looking at
// what is there wait for nothing, except that a collection is not read while
// something is removed or renamed. Whoever else changes the same afero.Fs, as
// a second FS over it would, goes around that.
//
// # Backends
//
// The conformance tests run on OsFs, MemMapFs, BasePathFs, CopyOnWriteFs, and,
// to read, on ReadOnlyFs and zipfs. Of them it is good to know:
//
//   - A CopyOnWriteFs can't remove or rename what is in its base, which an FS
//     reports as fs.ErrPermission. What has been changed is in both layers: its
//     removal uncovers the original and is reported so too. Permissions of a
//     file are lost when it is first changed. A Rename to a collection that is
//     in the base only is errors.ErrUnsupported.
//   - A CacheOnReadFs does not pass: it makes no file with O_EXCL, which a copy
//     needs, reports that what it removed without having cached it was not
//     there, and can't rename such a collection.
//   - In a zipfs, a collection without an entry of its own is not seen.
//   - In a tarfs all readers of a file share one position: don't serve it.
//   - A FromIOFS does not know absolute names: don't serve it.
package aferofs

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

var _ interface {
	storage.Lstater
	storage.Remover
	storage.TimeSetter
	storage.DeadPropsReader
	storage.FileReplacer
} = (*FS)(nil)

// FS is an afero.Fs with the semantics of package storage.
type FS struct {
	fs    afero.Fs
	order order
}

// New returns fsys as a storage.FS, its root as the root.
func New(fsys afero.Fs) *FS { return &FS{fs: fsys} }

// maxDepth is how many collections may be nested: afero's file systems go through
// every segment of a path at each call, some of them several times.
const maxDepth = 256

// Mkdir creates the collection name. A collection more than 256 levels deep is
// storage.ErrTooDeep.
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return at("mkdir", name, f.mkdir(ctx, name, perm))
}

func (f *FS) mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, ok := backendName(name)
	if !ok {
		return fs.ErrInvalid
	}
	if strings.Count(name, rootName) > maxDepth {
		return storage.ErrTooDeep
	}
	defer f.order.making(name)()
	if err := f.vacant(name); err != nil {
		return err
	}
	return f.fs.Mkdir(name, perm.Perm())
}

// Stat describes name, which must not be a symbolic link.
func (f *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return f.describe(ctx, "stat", name, f.find)
}

// Lstat describes name, be it a symbolic link, a FIFO, a socket or a device.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return f.describe(ctx, "lstat", name, f.findEntry)
}

func (f *FS) describe(
	ctx context.Context, op, name string, find func(string) (fs.FileInfo, error),
) (fs.FileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	full, ok := backendName(name)
	if !ok {
		return nil, at(op, name, fs.ErrNotExist)
	}
	info, err := find(full)
	if err != nil {
		return nil, at(op, name, err)
	}
	return snapshot(info, baseName(full)), nil
}

// SetTimes sets the times of name, that of its last access too. It is
// errors.ErrUnsupported for a collection of an afero.CopyOnWriteFs.
func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return at("settimes", name, f.setTimes(ctx, name, modified))
}

func (f *FS) setTimes(ctx context.Context, name string, modified time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, ok := backendName(name)
	if !ok {
		return fs.ErrNotExist
	}
	defer f.order.making(name)() // A CopyOnWriteFs makes a copy.
	info, err := f.find(name)
	if err != nil {
		return err
	}
	if _, ok := f.fs.(*afero.CopyOnWriteFs); ok && info.IsDir() {
		// It would take the collection for a file and copy that.
		return errors.ErrUnsupported
	}
	return f.fs.Chtimes(name, modified, modified)
}

// ReadDeadProps returns nil: an afero.Fs holds no dead properties.
func (f *FS) ReadDeadProps(ctx context.Context, _ string) (map[xml.Name]webdav.Property, error) {
	return nil, ctx.Err()
}

// OpenFile opens name. Where the backend opens an *os.File to read or write
// it, that is what OpenFile returns, so that the kernel can copy.
func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	full, ok := backendName(name)
	switch {
	case !ok && flag&os.O_CREATE != 0:
		return nil, at("open", name, fs.ErrInvalid)
	case !ok:
		return nil, at("open", name, fs.ErrNotExist)
	}
	open := f.openToRead
	if flag&writeFlags != 0 {
		open = func(full string) (storage.File, error) { return f.openToWrite(full, flag, perm.Perm()) }
	}
	file, err := open(full)
	if err != nil {
		return nil, at("open", name, err)
	}
	return file, nil
}
