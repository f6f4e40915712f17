package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxLinks is how many symbolic links are followed at the end of a path, as
// many as os.Root does in all of it.
const maxLinks = 8

// target follows the symbolic links at the end of local, so far as they stay
// inside, and describes what is there: nil if nothing is, be it for want of a
// parent. The path that it returns may hold "..", which os.Root follows.
func (f *FS) target(local string) (string, fs.FileInfo, error) {
	for range maxLinks + 1 {
		info, err := f.root.Lstat(local)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return local, nil, nil
		case err != nil:
			return "", nil, err
		case info.Mode()&fs.ModeSymlink == 0:
			return local, info, nil
		}
		link, err := f.root.Readlink(local)
		if err != nil {
			return "", nil, err
		}
		if link == "" || os.IsPathSeparator(link[0]) || filepath.VolumeName(link) != "" {
			return "", nil, f.escape
		}
		dir, _ := splitLast(local)
		// Not filepath.Join: what is before a ".." may be a link itself.
		local = dir + string(filepath.Separator) + link
	}
	return "", nil, syscall.ELOOP
}

// replaceable is target for what can be a file: it is an error if it is
// anything else.
func (f *FS) replaceable(local string) (string, fs.FileInfo, error) {
	target, info, err := f.target(local)
	switch {
	case err != nil || info == nil:
	case info.IsDir():
		err = syscall.EISDIR
	case special(info):
		err = syscall.ENXIO
	}
	if err != nil {
		return "", nil, err
	}
	return target, info, nil
}

// splitLast returns the path of what holds local, uncleaned, and the last segment.
func splitLast(local string) (dir, base string) {
	for i := len(local) - 1; i >= 0; i-- {
		if os.IsPathSeparator(local[i]) {
			return local[:i], local[i+1:]
		}
	}
	return rootName, local
}
