package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// source is the collection to copy files from.
type source struct {
	fsys  *FS
	local string
	dir   *os.File
}

// original is an open file to copy.
type original struct {
	fd   int
	file *os.File // If not nil, close closes file instead of fd.
	stat unix.Stat_t
}

func (f *FS) openSource(name string) (*source, error) {
	local, ok := localName(name)
	if !ok {
		return nil, fs.ErrNotExist
	}
	dir, err := f.openHandle(local)
	if err != nil {
		return nil, err
	}
	return &source{fsys: f, local: local, dir: dir}, nil
}

// openHandle opens the collection local with O_PATH, which is enough to reach its members
// but not to read it.
func (f *FS) openHandle(local string) (*os.File, error) {
	if fd, ok := f.short.open(f, local); ok {
		return os.NewFile(uintptr(fd), local), nil
	}
	return f.openHandleByRoot(local)
}

// openHandleByRoot is openHandle through the access, which is slower.
func (f *FS) openHandleByRoot(local string) (*os.File, error) {
	return f.root.OpenFile(local, unix.O_PATH|unix.O_DIRECTORY|nonblock, 0)
}

func (s *source) close() {
	if s != nil {
		_ = s.dir.Close()
	}
}

// open opens the member name. If it is a symbolic link, or if another program holds a
// lease on it, open resolves it from the root, which is slower.
func (s *source) open(name string) (*original, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(int(s.dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|nonblock, 0)
	})
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EAGAIN) {
		return s.fsys.openOriginal(filepath.Join(s.local, name))
	}
	if err != nil {
		return nil, err
	}
	return describe(&original{fd: fd})
}

// openOriginal opens local. It follows symbolic links that stay inside.
func (f *FS) openOriginal(local string) (*original, error) {
	file, _, err := f.open(local, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return describe(&original{fd: int(file.Fd()), file: file})
}

// describe fills in stat. If o is not a regular file, describe closes it and returns an
// error.
func describe(o *original) (*original, error) {
	err := unix.Fstat(o.fd, &o.stat)
	if err == nil {
		switch o.stat.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			return o, nil
		case unix.S_IFDIR:
			err = syscall.EISDIR
		default:
			err = syscall.ENXIO
		}
	}
	o.close()
	return nil, err
}

func (o *original) close() {
	if o.file != nil {
		_ = o.file.Close()
	} else {
		_ = unix.Close(o.fd)
	}
}

func (o *original) perm() fs.FileMode { return fs.FileMode(o.stat.Mode).Perm() }
