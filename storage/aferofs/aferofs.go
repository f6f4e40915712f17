// Package aferofs serves any afero.Fs as a storage.FS.
//
// The backends of afero differ in what they allow. An [FS] gives all of them the
// semantics of package storage. It never creates a missing parent, never replaces a
// collection, and never opens one for writing. O_EXCL holds, a fs.FileInfo is a
// snapshot, and Readdir ends with io.EOF. Errors contain only the name that the caller
// used.
//
// # Symbolic links
//
// A backend follows symbolic links wherever they lead. So an FS follows none: if the
// backend is an afero.Lstater, a link and every name that leads through one appear not
// to exist (fs.ErrNotExist). FIFOs, sockets and devices appear not to exist either.
// Only Lstat, Remove, RemoveAll and Rename act on the link itself. A backend that is
// not an afero.Lstater is trusted to have no links that lead out of it.
//
// The FS checks this before it calls the backend. A process that can create links on
// the disk of an afero.OsFs can do so between check and call. Package storage/local
// serves a directory without that gap, and is faster.
//
// # Concurrency
//
// An FS orders its own calls. Calls that create, remove or rename wait for each other
// where they must. Reading and writing an open file and describing a name never wait.
// Listing a collection waits only while something is removed or renamed. This order
// does not include changes that others make to the same afero.Fs, for example through a
// second FS.
//
// # Backends
//
// The conformance tests run on OsFs, MemMapFs, BasePathFs, CopyOnWriteFs and, for
// reading, on ReadOnlyFs and zipfs. Some backends have limits:
//
//   - A CopyOnWriteFs can't remove or rename what is in its base. An FS reports
//     fs.ErrPermission then. A changed file is in both layers: if it is removed, the
//     original reappears, and that is reported in the same way. A file loses its
//     permissions when it is first changed. Rename into a collection that is only in the
//     base is errors.ErrUnsupported.
//   - A CacheOnReadFs does not conform. It can't create a file with O_EXCL, which a
//     copy needs. If it removes a file that it has not cached, it reports that the file
//     did not exist. And it can't rename a collection that it has not cached.
//   - In a zipfs, a collection without an entry of its own is invisible.
//   - In a tarfs, all readers of a file share one position: don't serve it.
//   - A FromIOFS does not accept absolute names: don't serve it.
package aferofs

import (
	"context"
	"encoding/xml"
	"errors"
	"hash/maphash"
	"io/fs"
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

// New returns fsys as a storage.FS with the same root.
func New(fsys afero.Fs) *FS { return &FS{fs: fsys, order: order{seed: maphash.MakeSeed()}} }

// maxDepth is how many collections may be nested. Backends of afero go through every
// segment of a path at each call, sometimes more than once.
const maxDepth = 256

// Mkdir creates the collection name. A collection more than 256 levels deep is
// storage.ErrTooDeep.
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return at("mkdir", name, f.mkdir(ctx, name, perm))
}

func (f *FS) mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	name, err := started(ctx, name, fs.ErrInvalid)
	if err != nil {
		return err
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

// Lstat describes name, which may be a symbolic link, a FIFO, a socket or a device.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return f.describe(ctx, "lstat", name, f.findEntry)
}

func (f *FS) describe(
	ctx context.Context, op, name string, find func(string) (fs.FileInfo, error),
) (fs.FileInfo, error) {
	full, err := started(ctx, name, fs.ErrNotExist)
	if err != nil {
		return nil, at(op, name, err)
	}
	info, err := find(full)
	if err != nil {
		return nil, at(op, name, err)
	}
	return snapshot(info, baseName(full)), nil
}

// SetTimes sets the time of the last change of name, and that of the last access, to
// modified. It returns errors.ErrUnsupported for a collection of an
// afero.CopyOnWriteFs.
func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return at("settimes", name, f.setTimes(ctx, name, modified))
}

func (f *FS) setTimes(ctx context.Context, name string, modified time.Time) error {
	name, err := started(ctx, name, fs.ErrNotExist)
	if err != nil {
		return err
	}
	defer f.order.making(name)() // A CopyOnWriteFs creates a copy.
	info, err := f.find(name)
	if err != nil {
		return err
	}
	if _, ok := f.fs.(*afero.CopyOnWriteFs); ok && info.IsDir() {
		// It would treat the collection as a file, and copy it.
		return errors.ErrUnsupported
	}
	return f.fs.Chtimes(name, modified, modified)
}

// ReadDeadProps returns nil: an afero.Fs holds no dead properties.
func (f *FS) ReadDeadProps(ctx context.Context, _ string) (map[xml.Name]webdav.Property, error) {
	return nil, ctx.Err()
}

// OpenFile opens name. If the backend opens an *os.File, OpenFile returns it unwrapped,
// so that the kernel can copy.
func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	file, err := f.open(ctx, name, flag, perm.Perm())
	return file, at("open", name, err)
}
