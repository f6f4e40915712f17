package objectfs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"hash"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/names"
)

// upload is content on its way into the database, if it is short, or into an object.
type upload struct {
	fs       *FS
	name     string // that the file will have
	modified time.Time
	hash     hash.Hash
	size     int64
	buffer   []byte       // the content, as long as it is short
	writer   blobs.Writer // nil before there is an object
	key      string
	finished bool // nothing more can be written
	made     bool // Finish was called, so the object may exist
	exists   bool

	ctx context.Context //nolint:containedctx // for Write
}

// newUpload begins the content of the file name.
func (f *FS) newUpload(ctx context.Context, name string) *upload {
	return &upload{fs: f, ctx: ctx, name: name, hash: sha256.New()}
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	if u.finished {
		return 0, fs.ErrClosed
	}
	u.hash.Write(p)
	u.size += int64(len(p))
	if u.writer == nil {
		if u.size <= int64(u.fs.options.Inline) {
			u.buffer = append(u.buffer, p...)
			return len(p), nil
		}
		if err := u.begin(); err != nil {
			return 0, err
		}
	}
	return u.writer.Write(p)
}

// begin begins the object, with the content so far.
func (u *upload) begin() error {
	epoch, err := u.fs.options.Names.Epoch()
	if err != nil {
		return err
	}
	key := epoch + "-" + strings.ToLower(rand.Text())
	meta := blobs.Meta{Volume: u.fs.options.Names.Volume(), Name: u.name, Modified: u.modified}
	writer, err := u.fs.options.Blobs.Create(u.ctx, key, -1, meta)
	if err != nil {
		return err
	}
	u.key, u.writer = key, writer
	_, err = writer.Write(u.buffer)
	u.buffer = nil
	return err
}

// finish ends the content. If that is an object, it exists now, but nothing refers to it.
func (u *upload) finish(ctx context.Context) (names.Content, error) {
	if u.writer != nil && !u.made {
		u.finished, u.made = true, true
		if err := u.writer.Finish(ctx); err != nil {
			return names.Content{}, err
		}
		u.exists = true
	}
	u.finished = true
	return names.Content{Blob: u.key, Data: u.buffer, Size: u.size, SHA256: u.hash.Sum(nil)}, nil
}

// discard removes the content, which has no row.
func (u *upload) discard() error {
	u.finished = true
	if u.writer == nil {
		return nil
	}
	err := u.writer.Discard()
	u.writer = nil
	switch {
	case u.exists:
		u.fs.removeObject(u.ctx, u.key)
	case u.made: // After an error of Finish, the object may exist.
		u.fs.doubts.add(u.key)
	}
	return err
}

// leave leaves the object to the names that refer to it, or to the collector.
func (u *upload) leave() { u.finished, u.writer = true, nil }

// removeTimeout is how long a request waits for the removal of an object that it doesn't need. The
// collector removes what is left.
const removeTimeout = 5 * time.Second

// removeObject removes an object that has no row.
func (f *FS) removeObject(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := f.options.Blobs.Remove(ctx, []string{key}); err != nil {
		f.doubts.add(key)
	}
}

// put puts content in place. Unless the error is errMoved, the upload has then ended: the content is
// in place, or discarded, or in doubt.
func (f *FS) put(ctx context.Context, name string, u *upload, content names.Content, p names.Placing) (names.Node, error) {
	node, err := f.options.Names.Put(ctx, name, content, p)
	switch {
	case errors.Is(err, errMoved):
		return node, err // The caller tries again.
	case certain(err) && f.options.Names.InTransaction(ctx):
		f.doubts.add(u.key) // Its removal would keep others waiting for the transaction.
	case certain(err):
		return node, errors.Join(err, u.discard())
	case content.Blob != "" && (err != nil || f.options.Names.InTransaction(ctx)):
		f.doubts.add(content.Blob) // The transaction may yet be undone, or was committed after all.
	}
	u.leave()
	return node, err
}

// certain reports whether err says that the database has refused a Put. After other errors, it may
// have carried it out.
func certain(err error) bool {
	if _, ok := errors.AsType[refusal](err); ok {
		return true
	}
	for _, refusal := range []error{
		fs.ErrExist, fs.ErrNotExist, fs.ErrInvalid, storage.ErrChanged, syscall.EISDIR, syscall.ENOTDIR, syscall.EDQUOT, syscall.ENAMETOOLONG,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}
