package local

import (
	"context"
	"errors"
	"io/fs"
)

// Remove removes the file, the symbolic link or the empty collection name.
func (f *FS) Remove(ctx context.Context, name string) error {
	local, err := removable(ctx, "remove", name)
	if err != nil {
		return err
	}
	return f.failed("remove", name, f.root.Remove(local), writing)
}

// RemoveAll removes name and all that is in it. That name does not exist is no
// error. It does not look at ctx again once it has begun.
func (f *FS) RemoveAll(ctx context.Context, name string) error {
	local, err := removable(ctx, "removeall", name)
	if err == nil {
		err = f.failed("removeall", name, f.root.RemoveAll(local), writing)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removable returns the local form of name unless nothing of that name could
// be removed.
func removable(ctx context.Context, op, name string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	local, ok := localName(name)
	if !ok {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	if local == rootName {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	return local, nil
}
