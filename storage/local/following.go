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
	guarded
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
	f := &following{dir: strings.TrimSuffix(dir, separator) + separator}
	f.guarded = guarded{system{}, f.at}
	return f, file.Close()
}

// at returns the path of name. It doesn't clean it, because the segment before a ".." may
// be a link. A name that comes from an absolute link is already a path.
func (f *following) at(name string, _ bool) (string, error) {
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

// system is the access to all files of this machine by their paths.
type system struct{}

func (system) Chtimes(path string, accessed, modified time.Time) error {
	return os.Chtimes(path, accessed, modified)
}

func (system) OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, flag, perm)
}

func (system) Close() error                              { return nil }
func (system) Lstat(path string) (fs.FileInfo, error)    { return os.Lstat(path) }
func (system) Mkdir(path string, perm fs.FileMode) error { return os.Mkdir(path, perm) }
func (system) OpenRoot(path string) (*os.Root, error)    { return os.OpenRoot(path) }
func (system) Readlink(path string) (string, error)      { return os.Readlink(path) }
func (system) Remove(path string) error                  { return os.Remove(path) }
func (system) RemoveAll(path string) error               { return os.RemoveAll(path) }
func (system) Rename(from, to string) error              { return os.Rename(from, to) }
func (system) Stat(path string) (fs.FileInfo, error)     { return os.Stat(path) }
func (system) Symlink(text, path string) error           { return os.Symlink(text, path) }
