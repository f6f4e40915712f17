package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// How many symbolic links are followed at the end of a path: as many as os.Root
// does in all of it, and as Linux does.
const (
	maxLinks      = 8
	maxLinksLinux = 40
)

// target follows the symbolic links at the end of local, so far as the policy
// lets it, and describes what is there: nil if nothing is, be it for want of a
// parent. The path that it returns may hold "..", which os.Root follows; with
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
			dir, _ := splitLast(local)
			// Not filepath.Join: what is before a ".." may be a link itself.
			local = dir + string(filepath.Separator) + link
		case f.links == LinksFollow:
			local = link
		default:
			return "", nil, f.escape
		}
	}
	return "", nil, syscall.ELOOP
}

// replaceable is target for what can be a file: it is an error if it is
// anything else.
func (f *FS) replaceable(local string) (string, fs.FileInfo, error) {
	target, info, err := f.target(local)
	if err == nil && info != nil {
		err = fileOnly(info)
	}
	if err != nil {
		return "", nil, err
	}
	return target, info, nil
}

// fileOnly returns an error for what is no file and no symbolic link.
func fileOnly(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return syscall.EISDIR
	case special(info):
		return syscall.ENXIO
	}
	return nil
}

// splitLast returns the path of what holds local, uncleaned, and the last segment.
func splitLast(local string) (dir, base string) {
	for i := len(local) - 1; i >= 0; i-- {
		switch {
		case !os.IsPathSeparator(local[i]):
		case i == len(filepath.VolumeName(local)): // the root of a disk
			return local[:i+1], local[i+1:]
		default:
			return local[:i], local[i+1:]
		}
	}
	return rootName, local
}
