package intercept

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// newFile returns f, whose name is name, with h.
func newFile(f storage.File, h *hooked, name string) storage.File {
	hooked := file{File: f, calls: calls{h, name}}
	if holder, ok := f.(webdav.DeadPropsHolder); ok {
		return propsFile{file: hooked, holder: holder}
	}
	return hooked
}

// calls are those of a file, a listing or a replacement of a hooked FS.
type calls struct {
	of   *hooked
	name string
}

func (c calls) before(ctx context.Context, op string) error { return c.of.before(ctx, op, c.name) }

type file struct {
	storage.File
	calls
}

func (f file) Read(p []byte) (int, error) {
	return do(context.Background(), f.of, "read", f.name, func() (int, error) { return f.File.Read(p) })
}

func (f file) Write(p []byte) (int, error) {
	return do(context.Background(), f.of, "write", f.name, func() (int, error) { return f.File.Write(p) })
}

func (f file) Seek(offset int64, whence int) (int64, error) {
	return do(context.Background(), f.of, "seek", f.name, func() (int64, error) { return f.File.Seek(offset, whence) })
}

func (f file) Readdir(count int) ([]fs.FileInfo, error) {
	return do(context.Background(), f.of, "readdir", f.name, func() ([]fs.FileInfo, error) { return f.File.Readdir(count) })
}

func (f file) Stat() (fs.FileInfo, error) {
	return do(context.Background(), f.of, "stat", f.name, f.File.Stat)
}

func (f file) Close() error {
	return errors.Join(f.before(context.Background(), "close"), f.File.Close())
}

// propsFile is a file that stores dead properties.
type propsFile struct {
	file
	holder webdav.DeadPropsHolder
}

func (f propsFile) DeadProps() (map[xml.Name]webdav.Property, error) {
	return do(context.Background(), f.of, "deadprops", f.name, f.holder.DeadProps)
}

func (f propsFile) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	return do(context.Background(), f.of, "patch", f.name, func() ([]webdav.Propstat, error) { return f.holder.Patch(patches) })
}

type listing struct {
	storage.Listing
	calls
}

func (l listing) Next(ctx context.Context) (storage.Members, error) {
	found, err := do(ctx, l.of, "next", l.name, func() (storage.Members, error) { return l.Listing.Next(ctx) })
	if found == nil {
		return nil, err
	}
	return members{Members: found, calls: l.calls}, err
}

func (l listing) Close() error {
	return errors.Join(l.before(context.Background(), "close"), l.Listing.Close())
}

type members struct {
	storage.Members
	calls
}

func (m members) Describe(ctx context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	for at := from; at < to; at++ {
		if err := m.before(ctx, "describe"); err != nil {
			return append(dst, storage.Entry{Err: err})
		}
		dst = m.Members.Describe(ctx, at, at+1, dst)
	}
	return dst
}

type replacement struct {
	storage.Replacement
	calls
}

// StageName implements storage.Stager. It makes no call.
func (r replacement) StageName() string { return storage.StageName(r.Replacement) }

// Keep implements storage.Keeper.
func (r replacement) Keep(ctx context.Context, sync storage.Sync) error {
	return r.of.does(ctx, "keep", r.name, func() error { return storage.Keep(ctx, r.Replacement, sync) })
}

// Prepare implements storage.Preparer.
func (r replacement) Prepare(ctx context.Context) error {
	if _, ok := r.Replacement.(storage.Preparer); !ok {
		return nil
	}
	return r.of.does(ctx, "prepare", r.name, func() error { return storage.Prepare(ctx, r.Replacement) })
}

func (r replacement) Write(p []byte) (int, error) {
	return do(context.Background(), r.of, "write", r.name, func() (int, error) { return r.Replacement.Write(p) })
}

func (r replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	if err := r.before(ctx, "commit"); err != nil {
		return nil, errors.Join(err, r.Replacement.Discard())
	}
	return r.Replacement.Commit(ctx, p)
}

func (r replacement) Discard() error {
	return errors.Join(r.before(context.Background(), "discard"), r.Replacement.Discard())
}
