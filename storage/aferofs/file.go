package aferofs

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// file is an open file that is not a collection.
type file struct {
	file    afero.File
	full    string
	toWrite bool
}

func (f *file) Close() error { return f.at("close", f.file.Close()) }

func (f *file) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) && f.inMemory() {
		err = io.EOF // A mem.File returns the other error if the position is beyond the end.
	}
	return n, f.at("read", err)
}

func (f *file) Write(p []byte) (int, error) {
	if !f.toWrite {
		return 0, f.at("write", syscall.EBADF)
	}
	n, err := f.file.Write(p)
	return n, f.at("write", err)
}

// Seek uses Stat to find the end of the file, because a mem.File that seeks from there
// reads its size without a lock. It rejects negative positions, because a mem.File
// accepts them and then panics on Read.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	var from int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		at, err := f.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return 0, f.at("seek", err)
		}
		from = at
	case io.SeekEnd:
		info, err := f.file.Stat()
		if err != nil {
			return 0, f.at("seek", err)
		}
		from = info.Size()
	default:
		return 0, f.at("seek", fs.ErrInvalid)
	}
	if offset < -from {
		return 0, f.at("seek", fs.ErrInvalid)
	}
	at, err := f.file.Seek(from+offset, io.SeekStart)
	return at, f.at("seek", err)
}

func (f *file) Readdir(int) ([]fs.FileInfo, error) {
	return nil, f.at("readdir", syscall.ENOTDIR)
}

func (f *file) Stat() (fs.FileInfo, error) {
	info, err := f.file.Stat()
	if err != nil {
		return nil, f.at("stat", err)
	}
	return snapshot(info, baseName(f.full)), nil
}

func (f *file) inMemory() bool {
	_, ok := f.file.(*mem.File)
	return ok
}

// at leaves io.EOF unchanged, because readers compare it with ==.
func (f *file) at(op string, err error) error {
	if err == io.EOF { //nolint:errorlint // not one that wraps it
		return err
	}
	return at(op, filepath.ToSlash(f.full), err)
}
