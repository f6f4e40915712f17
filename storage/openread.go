package storage

import (
	"context"
	"io/fs"
	"os"
)

// ReadOpener is an [FS] that describes what it opens as it opens it.
type ReadOpener interface {
	FS

	// OpenRead is OpenFile with os.O_RDONLY, and the description of what was
	// opened.
	OpenRead(ctx context.Context, name string) (File, fs.FileInfo, error)
}

// OpenRead opens name to be read, and describes what was opened, whatever has its
// name by then. Without a [ReadOpener] that takes OpenFile and the file's Stat.
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
