package storage

import (
	"context"
	"io"
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

// Sender is a [File] that can send its content faster than by reading it, unless the system does
// that itself.
type Sender interface {
	// SendTo sends the next n bytes to w, as io.CopyN does.
	SendTo(w io.Writer, n int64) (sent int64, err error)
}

// SendTo sends the next n bytes of f to w. Without a [Sender], it is io.CopyN.
func SendTo(w io.Writer, f io.Reader, n int64) (sent int64, err error) {
	s, ok := f.(Sender)
	if !ok {
		return io.CopyN(w, f, n)
	}
	if sent, err = s.SendTo(w, n); err == nil && sent < n {
		err = io.EOF
	}
	return sent, err
}
