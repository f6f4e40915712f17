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

// copyStep is how much is copied between two looks at the context.
const copyStep = 4 << 20 // bytes

// source is a collection of which files are copied.
type source struct {
	fsys  *FS
	local string
	dir   *os.Root
}

// original is an open file that is copied.
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

// open opens the member name. What may lead out of the collection goes the long
// way through the root.
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

// openOriginal opens local, through symbolic links that stay inside.
func (f *FS) openOriginal(local string) (*original, error) {
	file, _, err := f.open(local, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return describe(file)
}

// describe returns file unless it is none; then it is closed.
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

// target is a collection into which files are copied.
type target struct {
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
	return &target{dir: dir, wrote: wrote}, nil
}

func (t *target) close() {
	if t != nil {
		_ = t.dir.Close()
	}
}

// copy makes name a copy of o with the permission bits perm and, if keepTime,
// the modification time of o. After an error there is none.
func (t *target) copy(ctx context.Context, o *original, name string, perm fs.FileMode, keepTime bool) error {
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
	if err == nil && keepTime {
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

// chmod gives the new file what the umask has kept from it. A filesystem
// without permissions is no failure.
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
