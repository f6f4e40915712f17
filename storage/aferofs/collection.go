package aferofs

import (
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/spf13/afero"
)

// collection is an open collection.
type collection struct {
	file  afero.File
	full  string
	order *order

	// members holds the whole listing, which the first Readdir reads: a zipfs starts
	// from the beginning at each Readdir, and a MemMapFs panics if members were removed
	// since the last one. next is the index of the first member that the next Readdir
	// returns.
	members []fs.FileInfo
	next    int
	read    bool
}

func (c *collection) Close() error { return c.at("close", c.file.Close()) }

func (c *collection) Read([]byte) (int, error) { return 0, c.at("read", syscall.EISDIR) }

func (c *collection) Write([]byte) (int, error) { return 0, c.at("write", syscall.EBADF) }

// Seek only accepts the start. Then Readdir returns the same members again.
func (c *collection) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, c.at("seek", fs.ErrInvalid)
	}
	c.next = 0
	return 0, nil
}

// Readdir is like that of an *os.File.
func (c *collection) Readdir(count int) ([]fs.FileInfo, error) {
	if err := c.fill(); err != nil {
		return nil, c.at("readdir", err)
	}
	rest := c.members[c.next:]
	if count > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if count > 0 && count < len(rest) {
		rest = rest[:count:count]
	}
	c.next += len(rest)
	return rest, nil
}

func (c *collection) fill() error {
	if c.read {
		return nil
	}
	defer c.order.listing()()
	infos, err := c.file.Readdir(-1)
	if err != nil {
		if info, statErr := c.file.Stat(); statErr == nil && !info.IsDir() {
			return syscall.ENOTDIR // A file has replaced it. Backends say so only in text.
		}
		return err
	}
	c.read = true
	c.members = make([]fs.FileInfo, len(infos))
	for i, info := range infos {
		c.members[i] = snapshot(info, info.Name())
	}
	return nil
}

func (c *collection) Stat() (fs.FileInfo, error) {
	info, err := c.file.Stat()
	if err != nil {
		return nil, c.at("stat", err)
	}
	return snapshot(info, baseName(c.full)), nil
}

func (c *collection) at(op string, err error) error {
	return at(op, filepath.ToSlash(c.full), err)
}
