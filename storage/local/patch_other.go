//go:build !linux

package local

import (
	"context"
	"io"
	"os"

	"github.com/davd/davd/storage"
)

// patchStep is how much is copied between two looks at the context, in bytes.
const patchStep = 4 << 20

// patch gives to the content of the file in s, which must be base, and has it
// written from offset on.
func (f *FS) patch(ctx context.Context, to stage, s *spot, base storage.PatchBase, offset int64) error {
	old, _, err := f.open(s.path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err == nil {
		err = base.Check(info)
	}
	if err == nil {
		err = storage.CopyContent(ctx, to.file(), old, patchStep, nil)
	}
	if err == nil {
		_, err = to.file().Seek(offset, io.SeekStart)
	}
	return err
}
