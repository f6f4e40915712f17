//go:build !linux

package local

import (
	"context"
	"io"
	"os"

	"github.com/davd/davd/storage"
)

// patch copies the content of the file in s to the stage to, and sets the write position
// to offset. The file must match base.
func (f *FS) patch(ctx context.Context, to stage, s *spot, base storage.PatchBase, offset int64) error {
	old, info, err := f.open(s.path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer old.Close()
	err = base.Check(info)
	if err == nil {
		err = storage.CopyContent(ctx, to.file(), old, copyStep, nil)
	}
	if err == nil {
		_, err = to.file().Seek(offset, io.SeekStart)
	}
	return err
}
