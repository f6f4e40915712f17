package objectfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// noTime is the zero time, which lets storage.Modified choose one.
var noTime time.Time

// writable is a file that is open for writing. Its content is put together in a spool, and replaces
// that of the file when it is closed, if anything was written.
type writable struct {
	fs          *FS
	asked, name string
	node        names.Node // when it was opened
	data        []byte     // its content, if that is in the database
	flag        int
	spool       *spool // nil before the first call that needs it
	offset      int64
	written     bool
	closed      bool

	ctx context.Context //nolint:containedctx // never ends; Close has none
}

// load puts the present content into the spool.
func (w *writable) load() error {
	switch {
	case w.closed:
		return fs.ErrClosed
	case w.spool != nil:
		return nil
	}
	w.spool = &spool{}
	if w.node.Blob == "" {
		_, err := w.spool.WriteAt(w.data, 0)
		return err
	}
	in := newSeeker(w.ctx, object{w.fs, w.node.Blob}, w.node.Size)
	defer in.Close()
	_, err := io.Copy(&sequence{spool: w.spool}, in)
	return err
}

// Read implements io.Reader.
func (w *writable) Read(p []byte) (int, error) {
	if err := w.load(); err != nil {
		return 0, at("read", w.asked, err)
	}
	n, err := w.spool.ReadAt(p, w.offset)
	w.offset += int64(n)
	if n > 0 || err == io.EOF { //nolint:errorlint // readers compare it with ==
		if n > 0 {
			err = nil
		}
		return n, err
	}
	return n, at("read", w.asked, err)
}

// Write implements io.Writer.
func (w *writable) Write(p []byte) (int, error) {
	if err := w.load(); err != nil {
		return 0, at("write", w.asked, err)
	}
	if w.flag&os.O_APPEND != 0 {
		w.offset = w.spool.size
	}
	n, err := w.spool.WriteAt(p, w.offset)
	w.offset += int64(n)
	w.written = true
	return n, at("write", w.asked, err)
}

// Seek implements io.Seeker.
func (w *writable) Seek(offset int64, whence int) (int64, error) {
	if w.closed {
		return 0, at("seek", w.asked, fs.ErrClosed)
	}
	to, err := seek(w.offset, w.size(), offset, whence)
	if err != nil {
		return to, at("seek", w.asked, err)
	}
	w.offset = to
	return to, nil
}

func (w *writable) size() int64 {
	if w.spool != nil {
		return w.spool.size
	}
	return w.node.Size
}

// Stat describes the file with the size that it will have.
func (w *writable) Stat() (fs.FileInfo, error) {
	node := w.node
	node.Size = w.size()
	return w.fs.info(node, w.name), nil
}

// Readdir fails.
func (w *writable) Readdir(int) ([]fs.FileInfo, error) {
	return nil, at("readdir", w.asked, syscall.ENOTDIR)
}

// Close puts what was written in place. If the file was removed or renamed meanwhile, it returns
// fs.ErrNotExist.
func (w *writable) Close() error {
	if w.closed {
		return at("close", w.asked, fs.ErrClosed)
	}
	w.closed = true
	if w.spool == nil {
		return nil
	}
	defer w.spool.Close()
	if !w.written {
		return nil
	}
	return at("close", w.asked, w.commit())
}

func (w *writable) commit() error {
	u := w.fs.newUpload(w.ctx, w.name)
	if _, err := io.Copy(u, io.NewSectionReader(w.spool, 0, w.spool.size)); err != nil {
		return errors.Join(err, u.discard())
	}
	content, err := u.finish(w.ctx)
	if err != nil {
		return errors.Join(err, u.discard())
	}
	_, err = w.fs.put(w.ctx, w.name, u, content, names.Placing{
		Perm: w.node.Perm, Modified: storage.Modified(noTime),
		Check: func(_ context.Context, old *names.Node) error {
			if old == nil {
				return fs.ErrNotExist
			}
			return nil
		},
	})
	return err
}

// contentOf opens the content of the file name, which node describes.
func (f *FS) contentOf(ctx context.Context, name string, node names.Node) (io.ReadCloser, error) {
	if node.Blob != "" {
		return newSeeker(ctx, object{f, node.Blob}, node.Size), nil
	}
	file, info, err := f.openToRead(ctx, name)
	if err != nil {
		return nil, err
	}
	if now, ok := info.Sys().(*facts); !ok || now.ID != node.ID {
		return nil, errors.Join(storage.ErrChanged, file.Close())
	}
	return file, nil
}
