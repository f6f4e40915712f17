// Package local serves a directory of this machine as a storage.FS.
//
// All access goes through os.Root, unless the caller chooses [LinksFollow]. So no name and
// no symbolic link leads outside the directory, even while another process renames things
// in it:
//
//   - Symbolic links that stay inside are followed; [Links] can change that. A link that
//     dangles, loops, is absolute or leads outside is missing (fs.ErrNotExist) for Stat
//     and for reading. Writing through it fails (fs.ErrPermission), but writing through a
//     link that dangles inside creates its target. Lstat, Remove, RemoveAll and Rename
//     act on the link itself.
//   - FIFOs, sockets and devices are also missing, and no call ever waits for one. Only
//     Lstat, Readdir, Remove and RemoveAll see them, so a collection that contains one
//     can be removed.
//   - Mounts below the directory are part of it. Rename from one mount to another returns
//     syscall.EXDEV.
//
// Names are bytes. On Windows, which restricts names, a name that is not allowed doesn't
// exist and can't be created (fs.ErrInvalid).
//
// The errors of an [FS] contain the names that the caller passed. The errors of an open
// file are those of the *os.File and contain its path on disk. Log them, but don't show
// them to clients.
package local

import (
	"context"
	"encoding/xml"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/strays"
)

var _ interface {
	storage.Canonicaler
	storage.Copier
	storage.DeadPropsReader
	storage.FileReplacer
	storage.Holder
	storage.Lstater
	storage.ReadOpener
	storage.Remover
	storage.Renamer
	storage.Spacer
	storage.TimeSetter
} = (*FS)(nil)

// FS is a directory of this machine.
type FS struct {
	root  access
	links Links
	// owned is nil if new files are as the process makes them.
	owned *owned
	// stage returns the name of a new stage. shared says that other processes change the
	// directory too.
	stage  func() string
	shared bool
	// sync is for commits that don't say what they flush.
	sync storage.Sync

	// escape is the error that root returns instead of leaving the directory. Package
	// os doesn't export it. It is nil with LinksFollow.
	escape error

	// ways lists how to name a file that has none. If it is empty, every stage has a
	// name from the start.
	ways []way

	// linked is set once one of ways has worked.
	linked atomic.Bool

	short shortWay

	// foldings caches which filesystems fold names. plainRoot points to whether that of
	// the directory itself folds none, if that is known; it is used only on Linux.
	foldings  foldings
	plainRoot atomic.Pointer[bool]

	// strays, if not nil, records the names of stages. mark identifies the directory
	// in it.
	strays strays.Notes
	mark   string

	// noClone contains pairs of devices, [2]uint64{source, copy}, between which
	// files can't share blocks.
	noClone sync.Map
}

// Options says how to open a directory. The zero value is what [Open] uses.
type Options struct {
	// Links says which symbolic links are followed.
	Links Links
	// Umask, if not nil, are the permission bits that new files and collections don't get,
	// whatever the umask of the process is. It also applies to the bits of a copy that has
	// no ACL. Where a collection has a default ACL, that decides instead.
	Umask *fs.FileMode
	// UID and GID, if not nil, are the owner and group of new files and collections. A file
	// that is replaced keeps its own. The process needs the right to set them. Windows has
	// none of the three.
	UID, GID *int
	// Sync is what a commit flushes to the disk if its storage.Placing doesn't say.
	Sync storage.Sync
	// Stage, if not nil, returns an unused reserved name, without a slash, for the content of a
	// file that is being replaced or created. The content then has this name from the start. It
	// is for a directory that other servers change too: paths are then resolved from the root
	// at each call, and a call is made once more after ESTALE. By default, and only on Linux, most
	// content has no name.
	Stage func() string
}

// Open returns the directory dir. The FS keeps serving this directory after a rename.
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
	owned, err := options.ownership()
	if err != nil {
		return nil, err
	}
	root, err := accessTo(dir, options.Links)
	if err != nil {
		return nil, err
	}
	f := &FS{root: root, links: options.Links, owned: owned, sync: options.Sync, stage: options.Stage, ways: defaultWays()}
	if f.stage == nil {
		f.stage = func() string { return path.Base(storage.Beside("/")) }
	} else {
		f.shared, f.ways = true, nil
	}
	if f.links != LinksFollow {
		_, err = root.Lstat("..")
		f.escape = storage.Cause(err)
	}
	f.short.init(root)
	if f.shared {
		f.root = renewed{root}
		f.short.unanchor()
	}
	return f, nil
}

// Close closes the directory. Open files stay open. Later calls return fs.ErrClosed.
func (f *FS) Close() error {
	f.short.close()
	return f.root.Close()
}

// maxSteps limits how deep collections may be nested if resolving a path takes a system
// call for each segment. That is so with [LinksFollow] and on systems other than Linux.
const maxSteps = 512

// Mkdir creates the collection name. It returns storage.ErrTooDeep if name is more than 512
// levels deep. On Linux this limit applies only with [LinksFollow].
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	local, err := started(ctx, "mkdir", name, fs.ErrInvalid)
	if err != nil {
		return err
	}
	if strings.Count(local, string(filepath.Separator)) >= maxSteps && !f.short.usable() {
		return &fs.PathError{Op: "mkdir", Path: name, Err: storage.ErrTooDeep}
	}
	return f.failed("mkdir", name, f.mkdir(local, perm.Perm()), writing)
}

// Stat describes name. It follows symbolic links inside the directory. The description
// includes the birth time (storage.Born) if the system records it.
func (f *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	local, err := started(ctx, "stat", name, fs.ErrNotExist)
	if err != nil {
		return nil, err
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
	return f.byAccess(f.root.Stat, local)
}

// Lstat describes name, even if it is a symbolic link, a FIFO, a socket or a device.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	local, err := started(ctx, "lstat", name, fs.ErrNotExist)
	if err != nil {
		return nil, err
	}
	info, err := f.lstat(local)
	if err != nil {
		return nil, f.failed("lstat", name, err, reading)
	}
	return info, nil
}

// SetTimes sets the modification time of name, as precisely as the disk can store it and
// within the disk's range. It leaves the access time unchanged.
func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	local, err := started(ctx, "settimes", name, fs.ErrNotExist)
	if err != nil {
		return err
	}
	return f.failed("settimes", name, f.chtimes(local, modified), writing)
}

// ReadDeadProps returns nil, because a directory stores no dead properties.
func (f *FS) ReadDeadProps(ctx context.Context, _ string) (map[xml.Name]webdav.Property, error) {
	return nil, ctx.Err()
}

// special reports whether info describes a FIFO, a socket or a device. These have no
// content to serve, and opening one may block or have side effects.
func special(info fs.FileInfo) bool {
	return info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice) != 0
}
