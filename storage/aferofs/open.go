package aferofs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
)

// writeFlags are the flags that make OpenFile a call that writes. One of them suffices.
const writeFlags = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREATE | os.O_TRUNC

func (f *FS) open(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	invalid := fs.ErrNotExist
	if flag&os.O_CREATE != 0 {
		invalid = fs.ErrInvalid
	}
	full, err := started(ctx, name, invalid)
	switch {
	case err != nil:
		return nil, err
	case flag&writeFlags == 0:
		return f.openToRead(full)
	}
	return f.openToWrite(full, flag, perm)
}

// openToRead uses the backend's Open, because several backends can't open a collection,
// or even a file, for reading with OpenFile.
func (f *FS) openToRead(full string) (storage.File, error) {
	info, err := f.find(full)
	if err != nil {
		return nil, err
	}
	opened, err := f.fs.Open(full)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &collection{file: opened, full: full, order: &f.order}, nil
	}
	return wrap(opened, full, false), nil
}

func (f *FS) openToWrite(full string, flag int, perm fs.FileMode) (storage.File, error) {
	defer f.order.making(full)()
	info, err := f.findEntry(full)
	switch {
	case err == nil:
		if err := writable(info, flag); err != nil {
			return nil, err
		}
	case flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist):
		return nil, err
	default:
		if err := f.hasParent(full); err != nil {
			return nil, err
		}
	}
	opened, err := f.fs.OpenFile(full, flag, perm)
	if err != nil {
		if opened != nil {
			_ = opened.Close() // A MemMapFs returns a file together with the error.
		}
		return nil, err
	}
	return wrap(opened, full, true), nil
}

// writable returns nil if the file that info describes can be opened with flag.
func writable(info fs.FileInfo, flag int) error {
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return fs.ErrExist
	case info.IsDir():
		return syscall.EISDIR
	case offLimits(info):
		return fs.ErrPermission
	}
	return nil
}

// wrap returns opened as a file of an FS. An *os.File needs no wrapping, even in an
// afero.BasePathFs.
func wrap(opened afero.File, full string, toWrite bool) storage.File {
	bare := opened
	for {
		base, ok := bare.(*afero.BasePathFile)
		if !ok {
			break
		}
		bare = base.File
	}
	if osFile, ok := bare.(*os.File); ok {
		return osFile
	}
	return &file{file: bare, full: full, toWrite: toWrite}
}
