package share

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// errFound ends a search.
var errFound = errors.New("found")

// Linked returns another name (hard link) by which clients of a served directory can get
// at the file path, or "". It searches the directory only if the file has several
// names.
func Linked(ctx context.Context, dir, path string) (name string, err error) {
	file, err := os.Stat(path)
	if err != nil {
		return "", nil //nolint:nilerr // no file, no other name
	}
	root, err := os.Stat(dir)
	if err != nil || !mayBeLinked(root, file) {
		return "", err
	}
	err = filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // clients can't read it either
		}
		if info, err := entry.Info(); err == nil && os.SameFile(info, file) {
			name = at
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return name, err
}
