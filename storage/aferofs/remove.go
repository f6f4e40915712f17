package aferofs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
)

// RemoveMembers removes members of the collection name: files, symbolic links and empty
// collections.
func (f *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, member := range members {
			full := path.Join(name, member)
			if !yield(member, at("remove", full, f.remove(ctx, full, false))) {
				return
			}
		}
	}
}

// RemoveAll removes name and everything below it. It is no error if name does not
// exist. RemoveAll ignores ctx once it has begun.
func (f *FS) RemoveAll(ctx context.Context, name string) error {
	err := f.remove(ctx, name, true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return at("removeall", name, err)
}

// remove removes name. If all is false, it doesn't remove a collection that has members.
func (f *FS) remove(ctx context.Context, name string, all bool) error {
	full, err := started(ctx, name, fs.ErrNotExist)
	switch {
	case err != nil:
		return err
	case full == rootName:
		return fs.ErrPermission
	}
	defer f.order.changing()()
	info, err := f.findEntry(full)
	if err != nil {
		return err
	}
	if all {
		return f.gone(full, f.fs.RemoveAll(full))
	}
	if info.IsDir() {
		if err := f.empty(full); err != nil {
			return err
		}
	}
	return f.gone(full, f.fs.Remove(full))
}

// empty returns fs.ErrExist if the collection full has members. A MemMapFs would remove
// it and lose them.
func (f *FS) empty(full string) error {
	dir, err := f.fs.Open(full)
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && len(names) > 0 {
		err = fs.ErrExist
	}
	return errors.Join(err, dir.Close())
}

// gone returns err, the backend's result of removing full. It returns fs.ErrPermission
// if full still exists although err does not say so: a CopyOnWriteFs claims that a file
// in its base was removed or did not exist.
func (f *FS) gone(full string, err error) error {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, lookErr := f.findEntry(full); lookErr == nil {
		return fs.ErrPermission
	}
	return err
}
