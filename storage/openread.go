package storage

import (
	"context"
	"io/fs"
	"os"
)

// ReadOpener is an [FS] that can open a file and describe it in one call.
type ReadOpener interface {
	FS

	// OpenRead is OpenFile with os.O_RDONLY. It also returns the description of the
	// opened file.
	OpenRead(ctx context.Context, name string) (File, fs.FileInfo, error)
}

// OpenRead opens name for reading and describes what it opened, even if another file has
// the name by then. Without a [ReadOpener] it calls OpenFile and Stat of the file.
func OpenRead(ctx context.Context, fsys FS, name string) (File, fs.FileInfo, error) {
	if opener, ok := fsys.(ReadOpener); ok {
		return opener.OpenRead(ctx, name)
	}
	f, err := fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
