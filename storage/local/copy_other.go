//go:build !linux

package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/davd/davd/storage"
)

// copyStep is how much is copied before the context is checked again.
const copyStep = 4 << 20 // bytes

// source is the collection to copy files from.
type source struct {
	fsys  *FS
	local string
	dir   *os.Root
}

// original is an open file to copy.
type original struct {
	file *os.File
	info fs.FileInfo
}

func (f *FS) openSource(name string) (*source, error) {
	local, ok := localName(name)
	if !ok {
		return nil, fs.ErrNotExist
	}
	dir, err := f.openRoot(local)
	if err != nil {
		return nil, err
	}
	return &source{fsys: f, local: local, dir: dir}, nil
}

func (s *source) close() {
	if s != nil {
		_ = s.dir.Close()
	}
}

// open opens the member name. If it may lead out of the collection, open resolves it
// from the root, which is slower.
func (s *source) open(name string) (*original, error) {
	info, err := s.dir.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return s.fsys.openOriginal(filepath.Join(s.local, name))
	}
	file, err := s.dir.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	return describe(file)
}

// openOriginal opens local. It follows symbolic links that stay inside.
func (f *FS) openOriginal(local string) (*original, error) {
	file, _, err := f.open(local, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return describe(file)
}

// describe returns the original for file. If file is not a regular file, describe closes
// it and returns an error.
func describe(file *os.File) (*original, error) {
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = syscall.EISDIR
	case !info.Mode().IsRegular():
		err = syscall.ENXIO
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &original{file: file, info: info}, nil
}

func (o *original) close() { _ = o.file.Close() }

func (o *original) perm() fs.FileMode { return o.info.Mode().Perm() }

// target is the collection to copy files to.
type target struct {
	fsys  *FS
	local string
	dir   *os.Root
	wrote func(n int64)
}

func (f *FS) openTarget(name string, wrote func(n int64)) (*target, error) {
	local, ok := localName(name)
	if !ok {
		return nil, fs.ErrNotExist
	}
	dir, err := f.openRoot(local)
	if err != nil {
		return nil, err
	}
	return &target{fsys: f, local: local, dir: dir, wrote: wrote}, nil
}

func (t *target) close() {
	if t != nil {
		_ = t.dir.Close()
	}
}

// copy creates name as a copy of o, with the permission bits perm and the modification
// time of o. After an error, name doesn't exist.
func (t *target) copy(ctx context.Context, o *original, name string, perm fs.FileMode) error {
	file, err := t.dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = storage.CopyContent(ctx, file, o.file, copyStep, t.wrote)
	if err == nil {
		err = chmod(file, perm)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = setTimes(t.dir, name, o.info.ModTime())
		if errors.Is(err, errors.ErrUnsupported) {
			err = nil
		}
	}
	if err != nil {
		err = errors.Join(err, t.dir.Remove(name))
	}
	return err
}

// chmod gives the new file the permission bits that the umask removed. It ignores a
// filesystem without permissions.
func chmod(file *os.File, perm fs.FileMode) error {
	info, err := file.Stat()
	if err != nil || info.Mode().Perm() == perm {
		return err
	}
	err = file.Chmod(perm)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
