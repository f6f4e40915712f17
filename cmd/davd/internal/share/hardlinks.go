package share

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
)

// Linked returns another name (a hard link) of the file path in the served directory dir, or
// "" if there is none. Through such a name, clients can read and write the file. Linked only
// searches dir if the file has several names.
func Linked(ctx context.Context, dir, path string) (name string, err error) {
	file, err := os.Stat(path)
	if err != nil {
		return "", nil //nolint:nilerr // a missing file has no other name
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
			return fs.SkipAll
		}
		return nil
	})
	return name, err
}
