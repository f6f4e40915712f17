package objectfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// writeFlags are the flags that make OpenFile a call that writes. One of them suffices.
const writeFlags = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREATE | os.O_TRUNC

// OpenFile opens name. A file has its new content when it is closed, in one step.
func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	var file storage.File
	var err error
	if flag&writeFlags == 0 {
		file, _, err = f.openToRead(ctx, name)
	} else {
		file, err = f.openToWrite(ctx, name, flag, perm)
	}
	if err != nil {
		return nil, at("open", name, err)
	}
	return file, nil
}

// OpenRead opens name for reading and describes it.
func (f *FS) OpenRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	file, info, err := f.openToRead(ctx, name)
	if err != nil {
		return nil, nil, at("open", name, err)
	}
	return file, info, nil
}

func (f *FS) openToRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	full, err := started(ctx, name, fs.ErrNotExist)
	if err != nil {
		return nil, nil, err
	}
	node, data, err := f.options.Names.Open(ctx, full)
	if err != nil {
		return nil, nil, err
	}
	if keepsParts(node) {
		return f.openParts(ctx, node, name, full)
	}
	info := f.info(node, full)
	switch {
	case node.Dir:
		return &collection{listing: f.list(ctx, node, name), info: info}, info, nil
	case node.Blob == "":
		return &file{content: nopCloser{bytes.NewReader(data)}, name: name, info: info}, info, nil
	}
	return &file{content: newSeeker(ctx, object{f, node.Blob}, node.Size), name: name, info: info}, info, nil
}

// nopCloser adds a Close that does nothing.
type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// file is a file that is open for reading. Its content can't change.
type file struct {
	content interface {
		io.ReadSeeker
		io.Closer
	}
	name   string
	info   fs.FileInfo
	closed bool
}

// Read implements io.Reader.
func (f *file) Read(p []byte) (int, error) {
	if f.closed {
		return 0, at("read", f.name, fs.ErrClosed)
	}
	n, err := f.content.Read(p)
	if err == io.EOF { //nolint:errorlint // readers compare it with ==
		return n, err
	}
	return n, at("read", f.name, err)
}

// SendTo implements storage.Sender.
func (f *file) SendTo(w io.Writer, n int64) (int64, error) {
	if f.closed {
		return 0, at("read", f.name, fs.ErrClosed)
	}
	return storage.SendTo(w, f.content, n)
}

// Seek implements io.Seeker.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	if f.closed {
		return 0, at("seek", f.name, fs.ErrClosed)
	}
	to, err := f.content.Seek(offset, whence)
	if err != nil {
		return to, at("seek", f.name, fs.ErrInvalid)
	}
	return to, nil
}

// Stat describes the file when it was opened.
func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

// Write fails.
func (f *file) Write([]byte) (int, error) { return 0, at("write", f.name, syscall.EBADF) }

// Readdir fails.
func (f *file) Readdir(int) ([]fs.FileInfo, error) {
	return nil, at("readdir", f.name, syscall.ENOTDIR)
}

// Close ends the reading.
func (f *file) Close() error {
	if f.closed {
		return at("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	return at("close", f.name, f.content.Close())
}

// openToWrite opens name for writing, and makes or truncates it as flag says.
func (f *FS) openToWrite(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	invalid := fs.ErrNotExist
	if flag&os.O_CREATE != 0 {
		invalid = fs.ErrInvalid
	}
	full, err := started(ctx, name, invalid)
	if err != nil {
		return nil, err
	}
	node, data, err := f.reach(ctx, full, flag, perm)
	if err != nil {
		return nil, err
	}
	return &writable{fs: f, ctx: context.WithoutCancel(ctx), asked: name, name: full, node: node, data: data, flag: flag}, nil
}

// reach returns the file name, which it makes or truncates as flag says, with its content if that
// is in the database.
func (f *FS) reach(ctx context.Context, name string, flag int, perm fs.FileMode) (names.Node, []byte, error) {
	for {
		node, data, err := f.options.Names.Open(ctx, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
			node, err = f.putEmpty(ctx, name, perm, true)
			if errors.Is(err, fs.ErrExist) && flag&os.O_EXCL == 0 {
				continue // Another call was faster.
			}
			return node, nil, err
		case err != nil:
			return node, nil, err
		case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
			return node, nil, fs.ErrExist
		case node.Dir:
			return node, nil, syscall.EISDIR
		case flag&os.O_TRUNC != 0 && node.Size > 0:
			node, err = f.putEmpty(ctx, name, perm, false)
			return node, nil, err
		}
		return node, data, nil
	}
}

func (f *FS) putEmpty(ctx context.Context, name string, perm fs.FileMode, create bool) (names.Node, error) {
	u := f.newUpload(ctx, name)
	content, err := u.finish(ctx)
	if err != nil {
		return names.Node{}, err
	}
	return f.options.Names.Put(ctx, name, content, names.Placing{Perm: uint32(perm.Perm()), Modified: storage.Modified(noTime), Create: create})
}
