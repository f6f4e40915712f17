package aferofs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/davd/davd/storage"
)

// replacement is a storage.Replacement: a file of a reserved name beside the one
// that it will have.
type replacement struct {
	fsys        *FS
	name        string
	full, stage string
	file        storage.File // nil after Commit and Discard
}

// ReplaceFile begins a file that will be at name whole or not at all, if the
// backend renames in one step, as MemMapFs and the systems below OsFs do. The
// new file keeps the permission bits of the one that is there; owner, group and
// what else there was are lost. Until it is done it has a reserved name.
func (f *FS) ReplaceFile(ctx context.Context, name string, perm fs.FileMode) (storage.Replacement, error) {
	r, err := f.newReplacement(ctx, name, perm.Perm())
	if err != nil {
		return nil, at("replacefile", name, err)
	}
	return r, nil
}

func (f *FS) newReplacement(ctx context.Context, name string, perm fs.FileMode) (*replacement, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	full, ok := backendName(name)
	if !ok {
		return nil, fs.ErrInvalid
	}
	old, err := f.replaceable(full)
	if err != nil {
		return nil, err
	}
	if old != nil {
		perm = old.Mode().Perm()
	}
	stage, _ := backendName(storage.Beside(storage.Clean(name)))
	file, err := f.openToWrite(stage, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return &replacement{fsys: f, name: name, full: full, stage: stage, file: file}, nil
}

// replaceable describes what is at full, nil if nothing is. It is an error if no
// file can be there.
func (f *FS) replaceable(full string) (fs.FileInfo, error) {
	info, err := f.findEntry(full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.hasParent(full)
	}
	if err == nil {
		err = writable(info, os.O_RDWR)
	}
	if err != nil {
		return nil, err
	}
	return info, nil
}

// Write implements io.Writer.
func (r *replacement) Write(p []byte) (int, error) {
	if r.file == nil {
		return 0, at("replacefile", r.name, fs.ErrClosed)
	}
	n, err := r.file.Write(p)
	return n, at("replacefile", r.name, err)
}

// ReadFrom has the kernel copy, where the backend's file is one of the disk.
func (r *replacement) ReadFrom(src io.Reader) (int64, error) {
	if r.file == nil {
		return 0, at("replacefile", r.name, fs.ErrClosed)
	}
	n, err := io.Copy(r.file, src)
	// Any other error is src's own, which the caller knows best.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = at("replacefile", r.name, err)
	}
	return n, err
}

// Commit makes it the file name. Nothing else that makes, removes or renames
// comes in between.
func (r *replacement) Commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error) {
	info, err := r.commit(ctx, storage.Modified(modified), create)
	if err != nil {
		return nil, errors.Join(at("replacefile", r.name, err), r.Discard())
	}
	r.file = nil
	return info, nil
}

func (r *replacement) commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error) {
	if r.file == nil {
		return nil, fs.ErrClosed
	}
	if err := r.file.Close(); err != nil {
		return nil, err
	}
	f := r.fsys
	defer f.order.changing()()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	old, err := f.replaceable(r.full)
	if err != nil {
		return nil, err
	}
	if old != nil && create {
		return nil, fs.ErrExist
	}
	info, err := f.findEntry(r.stage)
	if err != nil {
		return nil, err
	}
	if old != nil && old.Mode().Perm() != info.Mode().Perm() {
		if err := f.fs.Chmod(r.stage, old.Mode().Perm()); err != nil {
			return nil, err
		}
	}
	if err := f.fs.Chtimes(r.stage, modified, modified); err != nil {
		return nil, err
	}
	if err := r.place(modified, info.Mode().Perm(), old != nil); err != nil {
		return nil, err
	}
	if now, err := f.findEntry(r.full); err == nil {
		info = now
	}
	return snapshot(info, baseName(r.full)), nil
}

// place gives the stage its name.
func (r *replacement) place(modified time.Time, perm fs.FileMode, replaces bool) error {
	backend := r.fsys.fs
	err := backend.Rename(r.stage, r.full)
	if !storage.Immovable(err) {
		return err
	}
	err = r.copy(perm)
	if err == nil {
		err = backend.Chtimes(r.full, modified, modified)
	}
	if err != nil && !replaces {
		return errors.Join(err, absent(backend.Remove(r.full)))
	}
	if err == nil {
		_ = backend.Remove(r.stage) // It is done.
	}
	return err
}

// copy puts the content into place on a backend that can't rename, in more than
// one step.
func (r *replacement) copy(perm fs.FileMode) error {
	in, err := r.fsys.fs.Open(r.stage)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := r.fsys.fs.OpenFile(r.full, os.O_RDWR|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Discard implements storage.Replacement.
func (r *replacement) Discard() error {
	if r.file == nil {
		return nil
	}
	_ = r.file.Close() // Closed already, or unwanted.
	r.file = nil
	defer r.fsys.order.changing()()
	return at("replacefile", r.name, absent(r.fsys.fs.Remove(r.stage)))
}

// absent returns nil for the error of removing what is not there.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
