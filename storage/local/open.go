package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/davd/davd/storage"
)

// writeFlags are the flags that make OpenFile a writing call. One of them is enough.
const writeFlags = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREATE | os.O_TRUNC

// OpenFile opens name. The File is an *os.File, so that the kernel can copy from and to it
// (sendfile, copy_file_range).
func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	file, _, err := f.openFile(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// OpenRead opens name for reading, as OpenFile does, and describes it.
func (f *FS) OpenRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	file, info, err := f.openFile(ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	return file, info, nil
}

func (f *FS) openFile(ctx context.Context, name string, flag int, perm fs.FileMode) (*os.File, fs.FileInfo, error) {
	invalid := fs.ErrNotExist
	if flag&os.O_CREATE != 0 {
		invalid = fs.ErrInvalid
	}
	local, err := started(ctx, "open", name, invalid)
	if err != nil {
		return nil, nil, err
	}
	purpose := reading
	if flag&writeFlags != 0 {
		purpose = writing
	}
	file, info, err := f.openName(ctx, name, local, flag, perm.Perm())
	if err != nil {
		return nil, nil, f.failed("open", name, err, purpose)
	}
	return file, info, nil
}

// openName opens local, whose virtual name is name. It refuses other names of reserved
// files.
func (f *FS) openName(ctx context.Context, name, local string, flag int, perm fs.FileMode) (*os.File, fs.FileInfo, error) {
	if flag != os.O_RDONLY {
		if f.hidden(ctx, name, true) {
			return nil, nil, fs.ErrPermission
		}
		return f.open(local, flag, perm)
	}
	file, linked := f.openAtOnce(local)
	if f.hidden(ctx, name, linked) {
		if file != nil {
			_ = file.Close()
		}
		return nil, nil, errHidden
	}
	if file == nil {
		return f.open(local, flag, perm)
	}
	return usable(file)
}

// open opens local without ever waiting for the other end of a FIFO. Anything but a file
// or a collection fails with syscall.ENXIO, as a socket does. open describes what it opened,
// but returns no description for a file that it created with O_EXCL.
func (f *FS) open(local string, flag int, perm fs.FileMode) (*os.File, fs.FileInfo, error) {
	if f.links == LinksFollow {
		// Opening a device outside the directory may have side effects.
		if info, err := f.root.Stat(local); err == nil && special(info) && flag&os.O_EXCL == 0 {
			return nil, nil, syscall.ENXIO
		}
	}
	file, err := f.openFlags(local, flag, perm)
	if errors.Is(err, syscall.EAGAIN) {
		file, err = f.openLeased(local, flag, perm)
	}
	if err != nil {
		return nil, nil, err
	}
	if flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL {
		return file, nil, nil // It is new, so it is a regular file.
	}
	return usable(file)
}

func (f *FS) openFlags(local string, flag int, perm fs.FileMode) (*os.File, error) {
	if f.owned != nil && flag&os.O_CREATE != 0 {
		return f.openNew(local, flag, perm)
	}
	return f.root.OpenFile(local, flag|nonblock, perm)
}

// usable describes file. If it is neither a file nor a collection, usable closes it and
// returns an error.
func usable(file *os.File) (*os.File, fs.FileInfo, error) {
	info, err := file.Stat()
	if err == nil && special(info) {
		err = syscall.ENXIO
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// openLeased opens a file on which another program, such as an NFS or SMB server, holds a
// lease. The lease is broken only by an open that may wait.
func (f *FS) openLeased(local string, flag int, perm fs.FileMode) (*os.File, error) {
	info, err := f.root.Stat(local)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, syscall.ENXIO
	}
	return f.root.OpenFile(local, flag, perm)
}
