//go:build !linux

package local

import (
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

func (f *FS) renameLocal(string, *FS, string, storage.Renaming) error { return errors.ErrUnsupported }

// respell is not needed here: an os.Root accepts another spelling of the same name.
func (f *FS) respell(string, string) error { return fs.ErrExist }
