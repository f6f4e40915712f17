//go:build !linux

package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/davd/davd/storage"
)

// copyStep is how much is copied before the context is checked again.
const copyStep = 4 << 20 // bytes

// handle is an open collection.
type handle = *os.Root

func (f *FS) openHandle(local string) (handle, error) { return f.openRoot(local) }

// original is an open file to copy.
type original struct {
	file *os.File
	info fs.FileInfo
}

// open opens the member name. It follows symbolic links that stay inside.
func (p place) open(name string) (*original, error) {
	file, info, err := p.fsys.open(filepath.Join(p.local, name), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := fileOnly(info); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &original{file: file, info: info}, nil
}

func (o *original) close() { _ = o.file.Close() }

func (o *original) perm() fs.FileMode { return o.info.Mode().Perm() }

// target is the collection to copy files to.
type target struct {
	place
	wrote func(n int64)
}

func (f *FS) openTarget(name string, wrote func(n int64)) (*target, error) {
	p, err := f.openPlace(name)
	if err != nil {
		return nil, err
	}
	return &target{p, wrote}, nil
}

func (t *target) close() {
	if t != nil {
		t.place.close()
	}
}

// copy creates name as a copy of o, with the permission bits perm and the modification
// time of o. After an error, name doesn't exist.
func (t *target) copy(ctx context.Context, o *original, name string, perm fs.FileMode) error {
	perm = t.fsys.owned.perm(perm)
	file, err := t.dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = storage.CopyContent(ctx, file, o.file, copyStep, t.wrote)
	if err == nil {
		err = chmod(file, perm)
	}
	if err == nil {
		err = t.fsys.owned.give(int(file.Fd()), perm, false) //nolint:gosec // a descriptor
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
