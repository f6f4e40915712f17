package storage

import (
	"context"
	"errors"
	"io/fs"
	"path"
)

// EachFile calls found with the description of name, or, if that is a collection, of each
// entry at any depth below it that is not a collection. It doesn't follow symbolic links. It
// skips what doesn't exist any more.
func EachFile(ctx context.Context, fsys FS, name string, found func(name string, info fs.FileInfo)) error {
	info, err := Lstat(ctx, fsys, name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		found(name, info)
		return nil
	}
	for pending := []string{name}; len(pending) > 0; {
		last := len(pending) - 1
		dir := pending[last]
		pending = pending[:last]
		for member, err := range ReadDir(ctx, fsys, dir) {
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				return err
			case member.IsDir():
				pending = append(pending, path.Join(dir, member.Name()))
			default:
				found(path.Join(dir, member.Name()), member)
			}
		}
	}
	return nil
}
