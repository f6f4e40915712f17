package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// handle is an open collection, which can't be read.
type handle = *os.File

// original is an open file to copy.
type original struct {
	fd   int
	file *os.File // If not nil, close closes file instead of fd.
	stat unix.Stat_t
}

// openHandle opens the collection local with O_PATH, which is enough to reach its members
// but not to read it.
func (f *FS) openHandle(local string) (*os.File, error) {
	if fd, ok := f.short.open(local, unix.O_PATH); ok {
		return os.NewFile(uintptr(fd), local), nil
	}
	return f.root.OpenFile(local, openDirectory|unix.O_PATH, 0)
}

// open opens the member name.
func (p place) open(name string) (*original, error) {
	return p.fsys.openOriginal(int(p.dir.Fd()), p.local, name)
}

// openOriginal opens the file base of the collection dir, whose descriptor is holder. If it
// is a symbolic link, or if another program holds a lease on it, openOriginal resolves it
// from the root, which is slower.
func (f *FS) openOriginal(holder int, dir, base string) (*original, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(holder, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|nonblock, 0)
	})
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EAGAIN) {
		file, _, err := f.open(join(dir, base), os.O_RDONLY, 0)
		if err != nil {
			return nil, err
		}
		return describe(&original{fd: int(file.Fd()), file: file})
	}
	if err != nil {
		return nil, err
	}
	return describe(&original{fd: fd})
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
