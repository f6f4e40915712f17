// Package local serves a directory of this machine as a storage.FS.
//
// Unless [LinksFollow] is asked for, everything goes through os.Root, so that no
// name and no symbolic link leads outside the directory, even while somebody else
// renames things in it:
//
//   - Symbolic links are followed while they stay inside, or as [Links] says
//     otherwise. One that dangles, loops, is absolute or leads out is as if not
//     there (fs.ErrNotExist) to Stat and to reading, and may not be written
//     through (fs.ErrPermission), except that a file is made where one dangles
//     inside. Lstat, Remove, RemoveAll and Rename act on the link itself.
//   - FIFOs, sockets and devices are as if not there too, and none is ever
//     waited for. Lstat, Readdir, Remove and RemoveAll do see them, so that a
//     collection that holds one can be removed.
//   - Mounts below the directory are part of it; Rename from one to another is
//     syscall.EXDEV.
//
// Names are bytes. Where the system has names of its own form (Windows), one
// that it could not hold does not exist and can't be created (fs.ErrInvalid).
//
// The errors of an [FS] carry the names that it was given. Those of an open
// file are the *os.File's and carry its path on disk: they belong in a log.
package local

import (
	"context"
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

var _ interface {
	storage.Lstater
	storage.Remover
	storage.BatchRemover
	storage.FileCopier
	storage.BatchCopier
	storage.LinkCopier
	storage.Exchanger
	storage.TimeSetter
	storage.DeadPropsReader
	storage.FileReplacer
	storage.ReadOpener
	storage.BirthTimer
	storage.Spacer
} = (*FS)(nil)

// FS is a directory of this machine.
type FS struct {
	root  access
	links Links

	// escape is the error, otherwise secret to package os, with which root
	// refuses to leave the directory; nil if it does not.
	escape error

	// ways are how a file without a name may get one. Without any, none is made.
	ways []way

	// linked: one of ways has been seen to go.
	linked atomic.Bool

	short shortWay

	// plainRoot and foldings are what is known of the file systems' folding of names.
	plainRoot plainRoot
	foldings  foldings

	// strays has the names of stages, if it is not nil; mark identifies the
	// directory there.
	strays *storage.Strays
	mark   string

	// noClone holds what does not share blocks, as a [2]uint64: the devices of
	// a source and of a copy.
	noClone sync.Map
}

// Options are how a directory is opened. The zero value is what [Open] does.
type Options struct {
	// Links says which symbolic links lead anywhere.
	Links Links
}

// Open returns the directory dir. The FS stays with it should it be renamed.
func Open(dir string) (*FS, error) { return OpenWith(dir, Options{}) }

// OpenWith is [Open] with options.
func OpenWith(dir string, options Options) (*FS, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	root, err := accessTo(dir, options.Links)
	if err != nil {
		return nil, err
	}
	f := &FS{root: root, links: options.Links, ways: defaultWays()}
	if f.links != LinksFollow {
		_, err = root.Lstat("..")
		f.escape = storage.Cause(err)
	}
	return f, nil
}

// Close ends the use of the directory; open files stay open. Calls after it
// return fs.ErrClosed.
func (f *FS) Close() error {
	f.short.close()
	return f.root.Close()
}

// maxSteps is how many collections may be nested where each segment of a path takes
// a call of the system: on systems other than Linux, and with [LinksFollow].
const maxSteps = 512

// Mkdir creates the collection name. It is storage.ErrTooDeep for one more than 512
// levels deep, but on Linux only with [LinksFollow].
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	local, ok := localName(name)
	if !ok {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrInvalid}
	}
	if strings.Count(local, string(filepath.Separator)) >= maxSteps && !f.short.usable(f) {
		return &fs.PathError{Op: "mkdir", Path: name, Err: storage.ErrTooDeep}
	}
	return f.failed("mkdir", name, f.mkdir(local, perm.Perm()), writing)
}

// Stat describes name, or what it links to inside the directory. On Linux it tells
// the birth time as well (storage.Facts), if no link is on the way.
func (f *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	local, ok := localName(name)
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	info, err := f.stat(ctx, name, local)
	if err == nil && special(info) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, f.failed("stat", name, err, reading)
	}
	return info, nil
}

func (f *FS) stat(ctx context.Context, name, local string) (fs.FileInfo, error) {
	info, err := f.statAtOnce(local)
	if f.hidden(ctx, name, info == nil && err == nil) {
		return nil, errHidden
	}
	if info != nil || err != nil {
		return info, err
	}
	return f.root.Stat(local)
}

// Lstat describes name, be it a symbolic link, a FIFO, a socket or a device.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	local, ok := localName(name)
	if !ok {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	info, err := f.lstat(local)
	if err != nil {
		return nil, f.failed("lstat", name, err, reading)
	}
	return info, nil
}

// SetTimes sets the modification time of name, to the precision and in the range
// of the disk, and leaves its access time.
func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	local, ok := localName(name)
	if !ok {
		return &fs.PathError{Op: "settimes", Path: name, Err: fs.ErrNotExist}
	}
	return f.failed("settimes", name, f.chtimes(local, modified), writing)
}

// ReadDeadProps returns nil: a directory holds no dead properties.
func (f *FS) ReadDeadProps(ctx context.Context, _ string) (map[xml.Name]webdav.Property, error) {
	return nil, ctx.Err()
}

// special reports whether info is that of a FIFO, a socket or a device: what
// has no content to serve, and may block or act when it is opened.
func special(info fs.FileInfo) bool {
	return info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice) != 0
}
