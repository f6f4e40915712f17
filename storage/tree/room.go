package tree

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"syscall"

	"github.com/davd/davd/storage"
)

// checkRoom returns an error if a quota leaves no room for a copy of the source. It counts
// the files of the source, but not those that symbolic links lead to. Without a quota it does
// nothing, because other space can become available while a copy is made.
func (op *operation) checkRoom(ctx context.Context, src fs.FileInfo, depth int) error {
	dst := op.entry.Destination
	if !storage.Rationed(ctx, op.FS, dst) {
		return nil
	}
	_, available, err := storage.Space(ctx, op.FS, path.Dir(dst))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	}
	var size int64
	if !src.IsDir() {
		size = src.Size()
	} else if depth != 0 {
		err = storage.EachFile(ctx, op.FS, op.entry.Source, func(_ string, info fs.FileInfo) {
			if info.Mode().IsRegular() {
				size += info.Size()
			}
		})
	}
	if err == nil && size > available {
		err = &fs.PathError{Op: "copy", Path: dst, Err: syscall.EDQUOT}
	}
	return err
}
