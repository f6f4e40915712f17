package storage

import (
	"context"
	"encoding/xml"
	"io/fs"
	"time"

	"golang.org/x/net/webdav"
)

// WithLatency returns fsys made slow, to demonstrate and test slow storage. Each call of
// fsys or of one of its files first waits for delay, or until ctx ends. Reading a
// collection counts as one call plus one for each member, because each member comes with
// its metadata; so does copying a batch of files. If fsys lacks an operation on batches,
// the operation is made of single calls, each with its delay. So is copying a single file.
func WithLatency(fsys FS, delay time.Duration) FS {
	if delay <= 0 {
		return fsys
	}
	return &slowFS{fsys: fsys, delay: delay}
}

type slowFS struct {
	fsys  FS
	delay time.Duration
}

// wait waits for the delay. If ctx ends first, it returns the error of ctx.
func (s *slowFS) wait(ctx context.Context) error {
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slowFS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.fsys.Mkdir(ctx, name, perm)
}

func (s *slowFS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (File, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	f, err := s.fsys.OpenFile(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return s.slowFile(f), nil
}

func (s *slowFS) RemoveAll(ctx context.Context, name string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.fsys.RemoveAll(ctx, name)
}

func (s *slowFS) Rename(ctx context.Context, oldName, newName string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.fsys.Rename(ctx, oldName, newName)
}

func (s *slowFS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.fsys.Stat(ctx, name)
}

func (s *slowFS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return Lstat(ctx, s.fsys, name)
}

func (s *slowFS) Remove(ctx context.Context, name string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return Remove(ctx, s.fsys, name)
}

func (s *slowFS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return SetTimes(ctx, s.fsys, name, modified)
}

// Canonical doesn't wait if the backend has no Canonicaler, because then it does no work.
func (s *slowFS) Canonical(ctx context.Context, name string, follow bool) (Canon, error) {
	if _, ok := s.fsys.(Canonicaler); ok {
		if err := s.wait(ctx); err != nil {
			return Canon{}, err
		}
	}
	return Canonical(ctx, s.fsys, name, follow)
}

// ReadDeadProps doesn't wait if the backend is a DeadPropsReader, which is quick.
func (s *slowFS) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	if _, quick := s.fsys.(DeadPropsReader); !quick {
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
	return ReadDeadProps(ctx, s.fsys, name)
}

// BirthTime doesn't wait if the backend has no birth times.
func (s *slowFS) BirthTime(ctx context.Context, name string) (time.Time, error) {
	if _, ok := s.fsys.(BirthTimer); ok {
		if err := s.wait(ctx); err != nil {
			return time.Time{}, err
		}
	}
	return BirthTime(ctx, s.fsys, name)
}

// Space doesn't wait if the backend doesn't know its space.
func (s *slowFS) Space(ctx context.Context, name string) (used, available int64, err error) {
	if _, ok := s.fsys.(Spacer); ok {
		if err := s.wait(ctx); err != nil {
			return 0, 0, err
		}
	}
	return Space(ctx, s.fsys, name)
}
