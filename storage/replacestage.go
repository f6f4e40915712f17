package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// staged is the Replacement for a backend that has none of its own: a file with a
// reserved name beside its final name.
type staged struct {
	fsys        FS
	name, stage string
	perm        fs.FileMode
	file        File
	base        PatchBase

	// ctx has the values of the caller's context, which the backend may need.
	ctx context.Context //nolint:containedctx // never ends; Discard has none

	closed, done bool
	// kept says that the content existed before, so a failure at the start leaves it.
	kept bool
}

func newStaged(ctx context.Context, fsys FS, name string, r Replacing) (*staged, error) {
	s := &staged{fsys: fsys, name: name, stage: Beside(name), perm: r.Perm.Perm(), ctx: context.WithoutCancel(ctx)}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.CheckKept(); err != nil {
		return nil, s.failed(err)
	}
	if r.Kept != "" {
		s.stage = path.Join(path.Dir(name), r.Kept)
	}
	old, err := s.occupant(ctx)
	if err != nil {
		return nil, s.failed(err)
	}
	if r.Check != nil {
		if err := r.Check(target(old)); err != nil {
			return nil, err
		}
	}
	if old != nil && old.Mode().IsRegular() {
		s.perm = old.Mode().Perm()
	}
	var offset int64
	if r.Patch != nil {
		if offset, err = r.Patch(target(old)); err != nil {
			return nil, err
		}
	}
	if r.Kept != "" {
		err = s.openKept(ctx, r.From)
	} else {
		err = s.open(ctx)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	if old != nil && old.Mode().IsRegular() {
		if err := keepAccess(ctx, fsys, s.file, name, s.perm); err != nil {
			return nil, errors.Join(s.failed(err), s.abandon())
		}
	}
	if r.Patch != nil && target(old) != nil {
		if err := s.patch(ctx, old, offset); err != nil {
			return nil, errors.Join(s.failed(err), s.Discard())
		}
	}
	return s, nil
}

func (s *staged) open(ctx context.Context) error {
	var err error
	s.file, err = s.fsys.OpenFile(ctx, s.stage, os.O_RDWR|os.O_CREATE|os.O_EXCL, s.perm)
	if err != nil {
		return s.orphaned(ctx, err)
	}
	return nil
}

// openKept opens the stage, whose content ends at from, or makes it if from is 0.
func (s *staged) openKept(ctx context.Context, from int64) error {
	info, err := Lstat(ctx, s.fsys, s.stage)
	switch {
	case errors.Is(err, fs.ErrNotExist) && from == 0:
		return s.open(ctx)
	case errors.Is(err, fs.ErrNotExist), err == nil && (!info.Mode().IsRegular() || info.Size() < from):
		return ErrStageLost
	case err != nil:
		return err
	}
	s.kept = true
	if info.Size() > from {
		if err := s.cutOff(ctx, from); err != nil {
			return err
		}
	}
	if s.file, err = s.fsys.OpenFile(ctx, s.stage, os.O_RDWR, s.perm); err != nil {
		return err
	}
	if _, err = s.file.Seek(from, io.SeekStart); err != nil {
		return errors.Join(err, s.close())
	}
	return nil
}

// cutOff makes the stage end at size. A [File] can't be cut off, so the part before is copied.
func (s *staged) cutOff(ctx context.Context, size int64) error {
	in, err := s.fsys.OpenFile(ctx, s.stage, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	part := Beside(s.name)
	out, err := s.fsys.OpenFile(ctx, part, os.O_RDWR|os.O_CREATE|os.O_EXCL, s.perm)
	if err != nil {
		return err
	}
	_, err = io.CopyN(out, in, size)
	if err = errors.Join(err, out.Close()); err == nil {
		err = s.fsys.Rename(ctx, part, s.stage)
	}
	if err != nil {
		return errors.Join(err, Remove(s.ctx, s.fsys, part))
	}
	return nil
}

// abandon ends the replacement after a failure at the start.
func (s *staged) abandon() error {
	if !s.kept {
		return s.Discard()
	}
	s.done = true
	return s.close()
}

// Keep implements [Keeper].
func (s *staged) Keep(_ context.Context, sync Sync) error {
	if s.done {
		return s.failed(fs.ErrClosed)
	}
	s.done = true
	var err error
	if f, ok := s.file.(interface{ Sync() error }); ok && sync.Content() {
		err = f.Sync()
	}
	if err = errors.Join(err, s.close()); err != nil {
		return s.failed(err)
	}
	return nil
}

// patch copies the content of the file that old describes to the stage.
func (s *staged) patch(ctx context.Context, old fs.FileInfo, offset int64) error {
	s.base = NewPatchBase(old)
	in, err := s.fsys.OpenFile(ctx, s.name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := CopyContent(ctx, s.file, in, copyChunk, nil); err != nil {
		return err
	}
	_, err = s.file.Seek(offset, io.SeekStart)
	return err
}

// target returns what Stat would return when occupant returns old: nil for a dangling
// symbolic link.
func target(old fs.FileInfo) fs.FileInfo {
	if old != nil && old.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return old
}

// failed returns err with the name that the caller used.
func (s *staged) failed(err error) error {
	return &fs.PathError{Op: "replacefile", Path: s.name, Err: Cause(err)}
}

// occupant describes the file that has the name; for a symbolic link, its target if that
// exists. It returns nil if nothing has the name, and an error if no file can have it.
func (s *staged) occupant(ctx context.Context) (fs.FileInfo, error) {
	info, err := Lstat(ctx, s.fsys, s.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, s.orphaned(ctx, err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err := s.fsys.Stat(ctx, s.name); err == nil {
			info = target
		}
	}
	switch {
	case info.IsDir():
		return nil, syscall.EISDIR
	case info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice) != 0:
		return nil, fs.ErrPermission
	}
	return info, nil
}

// orphaned returns err, as fs.ErrNotExist if the parent of name is missing or is a file.
// Backends without a FileReplacer report that with various other errors.
func (s *staged) orphaned(ctx context.Context, err error) error {
	for dir := path.Dir(s.name); dir != "/"; dir = path.Dir(dir) {
		info, statErr := s.fsys.Stat(ctx, dir)
		if errors.Is(statErr, fs.ErrNotExist) || statErr == nil && !info.IsDir() {
			return fmt.Errorf("%w: %w", fs.ErrNotExist, Cause(err))
		}
		if statErr == nil {
			break
		}
	}
	return err
}

// Write implements Replacement.
func (s *staged) Write(p []byte) (int, error) {
	if s.closed {
		return 0, s.failed(fs.ErrClosed)
	}
	n, err := s.file.Write(p)
	if err != nil {
		err = s.failed(err)
	}
	return n, err
}

// ReadFrom lets the backend's file do the copying.
func (s *staged) ReadFrom(r io.Reader) (int64, error) {
	if s.closed {
		return 0, s.failed(fs.ErrClosed)
	}
	n, err := io.Copy(s.file, r)
	// Any other error is the reader's own, which needs no name.
	if _, own := errors.AsType[*fs.PathError](err); own {
		err = s.failed(err)
	}
	return n, err
}

func (s *staged) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.file.Close()
}

// Discard implements Replacement.
func (s *staged) Discard() error {
	if s.done {
		return nil
	}
	s.done = true
	_ = s.close() // The content is not needed, so an error doesn't matter.
	if err := Remove(s.ctx, s.fsys, s.stage); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.failed(err)
	}
	return nil
}

// StageName implements [Stager].
func (s *staged) StageName() string { return s.stage }
