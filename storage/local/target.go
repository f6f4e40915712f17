package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// These limit the symbolic links followed at the end of a path, as os.Root and Linux do for
// the whole path.
const (
	maxLinks      = 8
	maxLinksLinux = 40
)

// target follows the symbolic links at the end of local as far as the policy allows, and
// describes what it finds. The description is nil if nothing exists there, even if the
// parent is missing. The returned path may contain "..", which os.Root accepts. With
// LinksFollow it may be absolute.
func (f *FS) target(local string) (string, fs.FileInfo, error) {
	most := maxLinks
	if f.links == LinksFollow {
		most = maxLinksLinux
	}
	for range most + 1 {
		info, err := f.root.Lstat(local)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return local, nil, nil
		case err != nil:
			return "", nil, err
		case info.Mode()&fs.ModeSymlink == 0:
			return local, info, nil
		case f.links == LinksDeny:
			return "", nil, syscall.ELOOP
		}
		link, err := f.root.Readlink(local)
		if err != nil {
			return "", nil, err
		}
		switch {
		case link == "":
			return "", nil, syscall.ELOOP
		case !absolute(link):
			local = join(parent(local), link)
		case f.links == LinksFollow:
			local = link
		default:
			return "", nil, f.escape
		}
	}
	return "", nil, syscall.ELOOP
}

// replaceable is target, but returns an error for anything that a file can't replace.
func (f *FS) replaceable(local string) (string, fs.FileInfo, error) {
	target, info, err := f.target(local)
	if err == nil && info != nil {
		err = fileOnly(info)
	}
	return target, info, err
}

// fileOnly returns an error if info describes a collection, a FIFO, a socket or a device.
func fileOnly(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return syscall.EISDIR
	case special(info):
		return syscall.ENXIO
	}
	return nil
}

// join returns the path of the member name of dir. Don't use filepath.Join instead: the
// segment before a ".." may be a link.
func join(dir, name string) string { return dir + string(filepath.Separator) + name }

// splitLast splits local into the path of its parent, which it doesn't clean, and the last
// segment.
func splitLast(local string) (dir, base string) {
	for i := len(local) - 1; i >= 0; i-- {
		switch {
		case !os.IsPathSeparator(local[i]):
		case i == len(filepath.VolumeName(local)): // the root of a drive
			return local[:i+1], local[i+1:]
		default:
			return local[:i], local[i+1:]
		}
	}
	return rootName, local
}
