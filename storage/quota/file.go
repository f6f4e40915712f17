package quota

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// writeFlags are the flags that let OpenFile change something. One of them is enough.
const writeFlags = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREATE | os.O_TRUNC

// OpenFile opens name. A file that is open for writing grows only as far as the limit allows.
func (q *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	if flag&writeFlags == 0 {
		return q.FS.OpenFile(ctx, name, flag, perm)
	}
	if err := q.ready(ctx); err != nil {
		return nil, err
	}
	canon, err := storage.Canonical(ctx, q.FS, storage.Clean(name), true)
	if err != nil {
		return nil, err
	}
	defer q.lockFile(canon.Name)()
	opened, size, err := q.openLocked(ctx, canon.Name, name, flag, perm)
	if err != nil || opened == nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	if !info.Mode().IsRegular() {
		return opened, nil
	}
	if size < 0 {
		size = info.Size()
	}
	f := &file{File: opened, quota: q, flag: flag}
	f.record = q.account.opened(canon.Name, size, flag&os.O_TRUNC != 0)
	if holder, ok := opened.(webdav.DeadPropsHolder); ok {
		return &propsFile{file: f, holder: holder}, nil
	}
	return f, nil
}

// openLocked opens name, whose canonical name is canonical. If that empties the file, it also
// returns the size before, and otherwise -1.
func (q *FS) openLocked(ctx context.Context, canonical, name string, flag int, perm fs.FileMode) (storage.File, int64, error) {
	size := int64(-1)
	if flag&os.O_TRUNC != 0 {
		if open := q.account.lookup(canonical); open != nil {
			open.writing.Lock()
			defer open.writing.Unlock()
		}
		size = sizeOf(q.entry(ctx, canonical))
	}
	opened, err := q.FS.OpenFile(ctx, name, flag, perm)
	return opened, size, err
}

// file is a file that is open for writing.
type file struct {
	storage.File
	quota  *FS
	record *record
	flag   int

	// mu guards what follows.
	mu     sync.Mutex
	offset int64
	closed bool
}

// Read implements io.Reader.
func (f *file) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.File.Read(p)
	f.offset += int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.File.Seek(offset, whence)
	if err == nil {
		f.offset = at
	}
	return at, err
}

// Write writes all of p, or as much as the backend can. If the limit doesn't allow all of
// it, it writes nothing.
func (f *file) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return f.File.Write(p) // fails
	}
	r, account := f.record, &f.quota.account
	r.writing.Lock()
	defer r.writing.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.offset = account.size(r)
	}
	was, ok := account.grow(r, f.offset+int64(len(p)))
	if !ok {
		return 0, exceeded(account.name(r))
	}
	n, err := f.File.Write(p)
	f.offset += int64(n)
	if n < len(p) {
		account.resize(r, max(was, f.offset))
	}
	return n, err
}

// Close closes the file.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.File.Close()
	if !f.closed {
		f.closed = true
		defer f.quota.lockRecord(f.record)()
		f.quota.account.closed(f.record)
	}
	return err
}

// lockRecord locks the name that r has.
func (q *FS) lockRecord(r *record) (unlock func()) {
	for {
		name := q.account.name(r)
		unlock := q.lockFile(name)
		if q.account.name(r) == name {
			return unlock
		}
		unlock()
	}
}

// propsFile is a file that stores dead properties.
type propsFile struct {
	*file
	holder webdav.DeadPropsHolder
}

// DeadProps forwards.
func (f *propsFile) DeadProps() (map[xml.Name]webdav.Property, error) { return f.holder.DeadProps() }

// Patch forwards.
func (f *propsFile) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	return f.holder.Patch(patches)
}

var _ io.ReadWriteSeeker = (*file)(nil)
