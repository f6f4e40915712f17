package aferofs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/davd/davd/storage"
)

// replacement is a storage.Replacement: a file under a reserved name beside the name
// that it will get.
type replacement struct {
	fsys        *FS
	name        string
	full, stage string
	file        storage.File // nil after Commit and Discard
	base        storage.PatchBase
}

// ReplaceFile begins a file that replaces name completely or not at all, if the backend
// renames in one step, as MemMapFs and the filesystems below OsFs do. Until Commit it
// has a reserved name. The new file keeps the permission bits of the old one; owner,
// group and other attributes are lost. A patch copies the whole old content first.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if err := ctx.Err(); err != nil {
		return nil, at("replacefile", name, err)
	}
	full, ok := backendName(name)
	if !ok {
		return nil, at("replacefile", name, fs.ErrInvalid)
	}
	old, err := f.replaceable(full)
	if err != nil {
		return nil, at("replacefile", name, err)
	}
	if r.Check != nil {
		if err := r.Check(old); err != nil {
			return nil, err
		}
	}
	perm := r.Perm.Perm()
	if old != nil {
		perm = old.Mode().Perm()
	}
	var offset int64
	if r.Patch != nil {
		if offset, err = r.Patch(old); err != nil {
			return nil, err
		}
	}
	stage, _ := backendName(storage.Beside(storage.Clean(name)))
	begun := &replacement{fsys: f, name: name, full: full, stage: stage}
	begun.file, err = f.openToWrite(stage, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, at("replacefile", name, err)
	}
	if r.Patch != nil && old != nil {
		begun.base = storage.NewPatchBase(old)
		if err := begun.fill(ctx, offset); err != nil {
			return nil, errors.Join(at("replacefile", name, err), begun.Discard())
		}
	}
	return begun, nil
}

// fillStep is how many bytes are copied between two checks of the context.
const fillStep = 4 << 20

// fill copies the old content and sets the position to offset.
func (r *replacement) fill(ctx context.Context, offset int64) error {
	in, err := r.fsys.fs.Open(r.full)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := storage.CopyContent(ctx, r.file, in, fillStep, nil); err != nil {
		return err
	}
	_, err = r.file.Seek(offset, io.SeekStart)
	return err
}

// replaceable describes the file at full. It returns nil, nil if nothing is there and a
// file can be created, and an error if no file can be there.
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

// ReadFrom lets the kernel copy if the backend's file is an *os.File.
func (r *replacement) ReadFrom(src io.Reader) (int64, error) {
	if r.file == nil {
		return 0, at("replacefile", r.name, fs.ErrClosed)
	}
	n, err := io.Copy(r.file, src)
	// Any other error comes from src, and the caller knows best what it means.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = at("replacefile", r.name, err)
	}
	return n, err
}

// Commit gives the file its name. Between the last check and that, no other call
// creates, removes or renames anything. p.Check runs earlier and may use the FS.
func (r *replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	if err := r.ready(p); err != nil {
		return nil, errors.Join(err, r.Discard())
	}
	info, created, err := r.commit(ctx, p)
	if err != nil {
		return nil, errors.Join(at("replacefile", r.name, err), r.Discard())
	}
	r.file = nil
	if created {
		// If the time can't be set, the backend's own remains.
		_ = r.fsys.setTimes(context.WithoutCancel(ctx), path.Dir(storage.Clean(r.name)), time.Now())
	}
	return info, nil
}

// ready checks the old file and calls p.Check.
func (r *replacement) ready(p storage.Placing) error {
	if r.file == nil {
		return at("replacefile", r.name, fs.ErrClosed)
	}
	old, err := r.fsys.replaceable(r.full)
	if err == nil && old != nil && p.Create {
		err = fs.ErrExist
	}
	if err != nil {
		return at("replacefile", r.name, err)
	}
	if p.Check != nil {
		return p.Check(old)
	}
	return nil
}

func (r *replacement) commit(ctx context.Context, p storage.Placing) (info fs.FileInfo, created bool, err error) {
	if err := r.file.Close(); err != nil {
		return nil, false, err
	}
	f := r.fsys
	defer f.order.changing()()
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	old, err := f.replaceable(r.full)
	if err == nil && old != nil && p.Create {
		err = fs.ErrExist
	}
	if err == nil {
		err = r.base.Check(old)
	}
	if err != nil {
		return nil, false, err
	}
	info, err = r.finish(old, storage.Modified(p.Modified))
	return info, old == nil, err
}

// finish puts the file in the place of old, which is nil if there is none.
func (r *replacement) finish(old fs.FileInfo, modified time.Time) (fs.FileInfo, error) {
	f := r.fsys
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

// place renames the staged file to its final name, or copies it there.
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
		_ = backend.Remove(r.stage) // The replacement succeeds without this.
	}
	return err
}

// copy copies the content into place if the backend can't rename. This takes more than
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
	_ = r.file.Close() // It is closed already, or its content is unwanted.
	r.file = nil
	defer r.fsys.order.changing()()
	return at("replacefile", r.name, absent(r.fsys.fs.Remove(r.stage)))
}

// absent returns nil if err says that a removed file did not exist.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
