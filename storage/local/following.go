package local

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// following implements LinksFollow: names become paths of the system, which follows links.
type following struct {
	dir    string // ends with a separator
	closed atomic.Bool
}

// openFollowing checks that the directory dir can be opened.
func openFollowing(dir string) (*following, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	separator := string(filepath.Separator)
	return &following{dir: strings.TrimSuffix(dir, separator) + separator}, file.Close()
}

// at returns the path of name. It doesn't clean it, because the segment before a ".." may
// be a link. A name that comes from an absolute link is already a path.
func (f *following) at(name string) (string, error) {
	switch {
	case f.closed.Load():
		return "", os.ErrClosed
	case absolute(name):
		return name, nil
	}
	return f.dir + name, nil
}

// absolute reports whether name, which may be the target text of a link, is independent of
// the place where it is.
func absolute(name string) bool {
	return name != "" && os.IsPathSeparator(name[0]) || filepath.VolumeName(name) != ""
}

// Close makes later calls fail.
func (f *following) Close() error {
	f.closed.Store(true)
	return nil
}

func (f *following) Chtimes(name string, accessed, modified time.Time) error {
	path, err := f.at(name)
	if err != nil {
		return err
	}
	return os.Chtimes(path, accessed, modified)
}

func (f *following) Lstat(name string) (fs.FileInfo, error) {
	path, err := f.at(name)
	if err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

func (f *following) Mkdir(name string, perm fs.FileMode) error {
	path, err := f.at(name)
	if err != nil {
		return err
	}
	return os.Mkdir(path, perm)
}

func (f *following) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	path, err := f.at(name)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(path, flag, perm)
}

func (f *following) OpenRoot(name string) (*os.Root, error) {
	path, err := f.at(name)
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(path)
}

func (f *following) Readlink(name string) (string, error) {
	path, err := f.at(name)
	if err != nil {
		return "", err
	}
	return os.Readlink(path)
}

func (f *following) Remove(name string) error {
	path, err := f.at(name)
	if err != nil {
		return err
	}
	return os.Remove(path)
}

func (f *following) RemoveAll(name string) error {
	path, err := f.at(name)
	if err != nil {
		return err
	}
	return os.RemoveAll(path)
}

func (f *following) Rename(oldName, newName string) error {
	from, err := f.at(oldName)
	if err != nil {
		return err
	}
	to, err := f.at(newName)
	if err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (f *following) Stat(name string) (fs.FileInfo, error) {
	path, err := f.at(name)
	if err != nil {
		return nil, err
	}
	return os.Stat(path)
}

func (f *following) Symlink(text, name string) error {
	path, err := f.at(name)
	if err != nil {
		return err
	}
	return os.Symlink(text, path)
}
