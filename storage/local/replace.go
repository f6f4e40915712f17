package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
)

// replacement is a storage.Replacement.
type replacement struct {
	fsys        *FS
	name, local string
	stage       stage // nil after Commit and Discard
}

// stage is where the content of a replacement waits.
type stage interface {
	// open is the file, to be written.
	open() *os.File

	// place makes the file local, a path without symbolic links at its end,
	// with the modification time modified, and describes it. If exclusive, it
	// is syscall.EEXIST when something is there.
	place(f *FS, local string, modified time.Time, exclusive bool) (fs.FileInfo, error)

	// discard ends the use of the stage and, unless it has its place, the file.
	discard() error
}

// ReplaceFile begins a file that will be at name whole or not at all. On Linux
// it has no name until then, where the filesystem can do that (O_TMPFILE), and
// vanishes with the process; elsewhere, it has a reserved one.
//
// A symbolic link that stays inside is followed, as OpenFile does: its target
// is replaced or made, the link stays. What can't be opened to write can't be
// replaced. The file is a new one: it keeps the permission bits of the old one
// and, where the process may set them, owner and group, but not its other names
// (hard links), its ACL and extended attributes, and the set-user-ID bits. If
// the group can't be kept, it gets no more rights than all others.
func (f *FS) ReplaceFile(ctx context.Context, name string, perm fs.FileMode) (storage.Replacement, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	local, ok := localName(name)
	if !ok {
		return nil, &fs.PathError{Op: "replacefile", Path: name, Err: fs.ErrInvalid}
	}
	r := &replacement{fsys: f, name: name, local: local}
	target, old, err := f.replaceable(local)
	if err == nil {
		if old != nil {
			perm = old.Mode()
		}
		r.stage, err = f.newStage(target, local, perm.Perm(), old != nil)
	}
	if err != nil {
		return nil, r.failed(err)
	}
	return r, nil
}

func (r *replacement) failed(err error) error {
	return r.fsys.failed("replacefile", r.name, err, writing)
}

// Write implements io.Writer.
func (r *replacement) Write(p []byte) (int, error) {
	if r.stage == nil {
		return 0, r.failed(fs.ErrClosed)
	}
	n, err := r.stage.open().Write(p)
	return n, r.failed(err)
}

// ReadFrom has the kernel copy, where it can.
func (r *replacement) ReadFrom(src io.Reader) (int64, error) {
	if r.stage == nil {
		return 0, r.failed(fs.ErrClosed)
	}
	n, err := r.stage.open().ReadFrom(src)
	// Any other error is src's own, which the caller knows best.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = r.failed(err)
	}
	return n, err
}

// Commit makes it the file name.
func (r *replacement) Commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error) {
	if r.stage == nil {
		return nil, r.failed(fs.ErrClosed)
	}
	err := ctx.Err()
	var info fs.FileInfo
	if err == nil {
		info, err = r.commit(storage.Modified(modified), create)
		err = r.failed(err)
	}
	if discardErr := r.Discard(); err != nil {
		return nil, errors.Join(err, discardErr)
	}
	return info, nil
}

func (r *replacement) commit(modified time.Time, create bool) (fs.FileInfo, error) {
	// Looked up anew: the way may have changed since.
	target, old, err := r.fsys.replaceable(r.local)
	if err != nil {
		return nil, err
	}
	if create && (old != nil || target != r.local) {
		return nil, fs.ErrExist // It may be a link to nothing.
	}
	if old != nil {
		if err := keep(r.stage.open(), old); err != nil {
			return nil, err
		}
	}
	info, err := r.stage.place(r.fsys, target, modified, old == nil)
	if errors.Is(err, syscall.EEXIST) && !create {
		// Something has just appeared where nothing was.
		return r.stage.place(r.fsys, target, modified, false)
	}
	return info, err
}

// Discard implements storage.Replacement.
func (r *replacement) Discard() error {
	if r.stage == nil {
		return nil
	}
	err := r.stage.discard()
	r.stage = nil
	return r.failed(err)
}
