package dirblobs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// List lists the objects, one directory after the other. It holds the names in one directory.
func (s *Store) List(ctx context.Context, after string) iter.Seq2[blobs.Object, error] {
	return func(yield func(blobs.Object, error) bool) {
		err := s.list(ctx, after, func(o blobs.Object) bool { return yield(o, nil) })
		if err != nil {
			yield(blobs.Object{}, err)
		}
	}
}

func (s *Store) list(ctx context.Context, after string, yield func(blobs.Object) bool) error {
	root := filepath.Join(s.root, objectsDir)
	epochs, err := os.ReadDir(root)
	if err != nil {
		return s.failed(err)
	}
	firstEpoch, random := split(after)
	for _, epoch := range epochs {
		if epoch.Name() < firstEpoch || !epoch.IsDir() {
			continue
		}
		fans, err := entries(filepath.Join(root, epoch.Name()))
		if err != nil {
			return err
		}
		for _, dir := range fans {
			if epoch.Name() == firstEpoch && dir.Name() < fan(random) || !dir.IsDir() {
				continue
			}
			more, err := listDirectory(ctx, filepath.Join(root, epoch.Name(), dir.Name()), after, yield)
			if err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// listDirectory lists the objects in one directory, and reports whether the caller wants more.
func listDirectory(ctx context.Context, dir, after string, yield func(blobs.Object) bool) (more bool, err error) {
	files, err := entries(dir)
	if err != nil {
		return false, err
	}
	for _, file := range files {
		if file.Name() <= after || !file.Type().IsRegular() {
			continue
		}
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // It was removed meanwhile.
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return false, err
		}
		if !yield(blobs.Object{Key: file.Name(), Size: info.Size() - headerSize, Modified: info.ModTime()}) {
			return false, nil
		}
	}
	return true, nil
}

// entries returns the entries of a directory in their order, none if it was removed.
func entries(dir string) ([]fs.DirEntry, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return found, err
}
