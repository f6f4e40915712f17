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
	"time"
)

// staged is the Replacement of a backend without its own: a file of a reserved
// name beside the one that it will have.
type staged struct {
	fsys        FS
	name, stage string
	perm        fs.FileMode
	file        File

	// ctx has what the backend may want of the one that began it.
	ctx context.Context //nolint:containedctx // never ends; Discard has none

	closed, done bool
}

func newStaged(ctx context.Context, fsys FS, name string, perm fs.FileMode) (*staged, error) {
	s := &staged{fsys: fsys, name: name, stage: Beside(name), perm: perm.Perm(), ctx: context.WithoutCancel(ctx)}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	old, err := s.occupant(ctx)
	if err != nil {
		return nil, s.failed(err)
	}
	if old != nil && old.Mode().IsRegular() {
		s.perm = old.Mode().Perm()
	}
	s.file, err = fsys.OpenFile(ctx, s.stage, os.O_RDWR|os.O_CREATE|os.O_EXCL, s.perm)
	if err != nil {
		return nil, s.failed(s.orphaned(ctx, err))
	}
	return s, nil
}

// failed returns err with the name that the caller knows.
func (s *staged) failed(err error) error {
	return &fs.PathError{Op: "replacefile", Path: s.name, Err: Cause(err)}
}

// occupant describes what is at name, and a symbolic link by its target if it
// has one. It is nil if nothing is there, and an error if no file can be.
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

// orphaned returns err, which is fs.ErrNotExist if what would hold name is no
// collection: the five methods of some backends have words of their own for that.
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

// ReadFrom copies as the backend's file would.
func (s *staged) ReadFrom(r io.Reader) (int64, error) {
	if s.closed {
		return 0, s.failed(fs.ErrClosed)
	}
	n, err := io.Copy(s.file, r)
	// Any other error is the reader's own, which the caller knows best.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = s.failed(err)
	}
	return n, err
}

// Commit implements Replacement.
func (s *staged) Commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error) {
	if s.done {
		return nil, s.failed(fs.ErrClosed)
	}
	info, err := s.commit(ctx, Modified(modified), create)
	if err != nil {
		return nil, errors.Join(s.failed(err), s.Discard())
	}
	return info, nil
}

func (s *staged) commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.close(); err != nil {
		return nil, err
	}
	old, err := s.occupant(ctx)
	if err != nil {
		return nil, err
	}
	if old != nil && create {
		return nil, fs.ErrExist
	}
	if old != nil && old.Mode().IsRegular() {
		if err := CopyDeadProps(ctx, s.fsys, s.name, s.stage); err != nil {
			return nil, err
		}
	}
	if err := setTimesIfAny(ctx, s.fsys, s.stage, modified); err != nil {
		return nil, err
	}
	info, err := s.fsys.Stat(ctx, s.stage)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.place(info, modified, old != nil)
}

// place gives the stage, which info describes, its name. It is not stopped.
func (s *staged) place(info fs.FileInfo, modified time.Time, replaces bool) (fs.FileInfo, error) {
	err := s.fsys.Rename(s.ctx, s.stage, s.name)
	if Immovable(err) {
		err = s.copy(modified, replaces)
	} else if err == nil {
		s.done = true // There is nothing to remove.
	}
	if err != nil {
		return nil, err
	}
	// From here on it is done, whatever fails.
	_ = s.Discard()
	if now, err := s.fsys.Stat(s.ctx, s.name); err == nil {
		return now, nil
	}
	return Named(info, path.Base(s.name)), nil
}

// copy is place for a backend that can't rename the stage to name.
func (s *staged) copy(modified time.Time, replaces bool) error {
	if !replaces {
		err := CopyFile(s.ctx, s.fsys, s.stage, s.name, s.perm, nil)
		if err != nil {
			return err
		}
		if err := setTimesIfAny(s.ctx, s.fsys, s.name, modified); err != nil {
			return errors.Join(err, Remove(s.ctx, s.fsys, s.name))
		}
		return nil
	}
	in, err := s.fsys.OpenFile(s.ctx, s.stage, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := s.fsys.OpenFile(s.ctx, s.name, os.O_RDWR|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	err = CopyContent(s.ctx, out, in, copyChunk, nil)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return setTimesIfAny(s.ctx, s.fsys, s.name, modified)
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
	_ = s.close() // Nobody wants the content.
	if err := Remove(s.ctx, s.fsys, s.stage); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.failed(err)
	}
	return nil
}
