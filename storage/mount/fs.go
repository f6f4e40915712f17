package mount

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// Mkdir implements storage.FS, like the methods below.
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	at, err := f.target(ctx, "mkdir", name)
	if err != nil {
		return err
	}
	defer at.release()
	if at.node != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	if err := f.outside(ctx, at, true); err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	return at.failed(at.in.fsys.Mkdir(ctx, at.name, perm))
}

// RemoveAll implements storage.FS.
func (f *FS) RemoveAll(ctx context.Context, name string) error {
	at, err := f.inside(ctx, "removeall", name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer at.release()
	return at.failed(at.in.fsys.RemoveAll(ctx, at.name))
}

// Rename implements storage.FS. Between two shares it is RenameWith.
func (f *FS) Rename(ctx context.Context, oldName, newName string) error {
	return f.RenameWith(ctx, storage.Renaming{Old: oldName, New: newName})
}

// Stat implements storage.FS.
func (f *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	at, err := f.below(ctx, "stat", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	if at.node != nil {
		return f.describe(ctx, at)
	}
	info, err := at.in.fsys.Stat(ctx, at.name)
	return info, at.failed(err)
}

// Lstat implements storage.Lstater.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	at, err := f.below(ctx, "lstat", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	if at.node != nil {
		return f.describe(ctx, at)
	}
	info, err := storage.Lstat(ctx, at.in.fsys, at.name)
	return info, at.failed(err)
}

// writing are the flags of OpenFile that change something.
const writing = os.O_WRONLY | os.O_RDWR | os.O_CREATE | os.O_TRUNC | os.O_APPEND

// OpenFile implements storage.FS. A file of package os is returned as it is.
func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	at, err := f.target(ctx, "open", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	if at.node != nil {
		return f.openNode(ctx, at, flag)
	}
	if err := f.outside(ctx, at, flag&os.O_CREATE != 0); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	file, err := at.in.fsys.OpenFile(ctx, at.name, flag, perm)
	if err != nil {
		return nil, at.failed(err)
	}
	return at.file(file), nil
}

// OpenRead implements storage.ReadOpener.
func (f *FS) OpenRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	at, err := f.below(ctx, "open", name)
	if err != nil {
		return nil, nil, err
	}
	defer at.release()
	if at.node != nil {
		file, err := f.openNode(ctx, at, os.O_RDONLY)
		if err != nil {
			return nil, nil, err
		}
		info, err := file.Stat()
		return file, info, err
	}
	file, info, err := storage.OpenRead(ctx, at.in.fsys, at.name)
	if err != nil {
		return nil, nil, at.failed(err)
	}
	return at.file(file), info, nil
}

// file returns file, which keeps the storage open. A file of package os needs no storage.
func (t target) file(file storage.File) storage.File {
	if _, ok := file.(*os.File); ok || !t.in.retain() {
		return file
	}
	kept := &keptFile{File: file, in: t.in}
	if holder, ok := file.(webdav.DeadPropsHolder); ok {
		return &propsFile{keptFile: kept, DeadPropsHolder: holder}
	}
	return kept
}

// keptFile is a file that keeps its storage open.
type keptFile struct {
	storage.File
	in     *opened
	closed atomic.Bool
}

// Close closes the file.
func (f *keptFile) Close() error {
	err := f.File.Close()
	if !f.closed.Swap(true) {
		f.in.release()
	}
	return err
}

// ReadFrom lets the file do the copying, if it can.
func (f *keptFile) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(f.File, r)
}

type propsFile struct {
	*keptFile
	webdav.DeadPropsHolder
}

// openNode opens the collection of a node.
func (f *FS) openNode(ctx context.Context, at target, flag int) (storage.File, error) {
	if flag&os.O_EXCL != 0 && flag&os.O_CREATE != 0 {
		return nil, &fs.PathError{Op: "open", Path: at.full, Err: fs.ErrExist}
	}
	if flag&writing != 0 && (!at.root() || flag&(os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0) {
		return nil, &fs.PathError{Op: "open", Path: at.full, Err: syscall.EISDIR}
	}
	info, err := f.describe(ctx, at)
	if err != nil {
		return nil, err
	}
	c := &collection{of: f, ctx: context.WithoutCancel(ctx), name: at.full, info: info}
	if !at.root() {
		return c, nil
	}
	file, err := at.in.fsys.OpenFile(ctx, "/", flag, 0)
	if err != nil {
		return nil, at.failed(err)
	}
	if holder, ok := file.(webdav.DeadPropsHolder); ok && at.in.retain() {
		return &propsCollection{collection: c, DeadPropsHolder: holder, file: file, in: at.in}, nil
	}
	return c, file.Close()
}

// collection is an open collection that is the root of a share or leads to one.
type collection struct {
	of      *FS
	ctx     context.Context //nolint:containedctx // never ends; Readdir has none
	name    string
	info    fs.FileInfo
	members []fs.FileInfo
	read    bool
	closed  bool
}

func (c *collection) failed(op string, err error) error {
	if c.closed {
		err = fs.ErrClosed
	}
	return &fs.PathError{Op: op, Path: c.name, Err: err}
}

func (c *collection) Read([]byte) (int, error)       { return 0, c.failed("read", syscall.EISDIR) }
func (c *collection) Write([]byte) (int, error)      { return 0, c.failed("write", syscall.EISDIR) }
func (c *collection) Seek(int64, int) (int64, error) { return 0, c.failed("seek", syscall.EISDIR) }

func (c *collection) Stat() (fs.FileInfo, error) {
	if c.closed {
		return nil, c.failed("stat", nil)
	}
	return c.info, nil
}

func (c *collection) Close() error {
	if c.closed {
		return c.failed("close", nil)
	}
	c.closed = true
	return nil
}

// Readdir reads all members at the first call.
func (c *collection) Readdir(count int) ([]fs.FileInfo, error) {
	if c.closed {
		return nil, c.failed("readdir", nil)
	}
	if !c.read {
		for info, err := range storage.ReadDir(c.ctx, c.of, c.name) {
			if err != nil {
				return nil, err
			}
			c.members = append(c.members, info)
		}
		c.read = true
	}
	if count <= 0 {
		count = len(c.members)
	} else if len(c.members) == 0 {
		return nil, io.EOF
	}
	count = min(count, len(c.members))
	var some []fs.FileInfo
	some, c.members = c.members[:count:count], c.members[count:]
	return some, nil
}

// propsCollection is the root of a share that stores dead properties.
type propsCollection struct {
	*collection
	webdav.DeadPropsHolder
	file storage.File
	in   *opened
}

func (c *propsCollection) Close() error {
	if err := c.collection.Close(); err != nil {
		return err
	}
	defer c.in.release()
	return c.file.Close()
}
