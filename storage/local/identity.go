package local

import (
	"context"
	"io/fs"
	"strconv"

	"github.com/davd/davd/storage"
)

// Identity identifies the directory, also after a restart and on another mount point. It
// returns "" if the directory is on a filesystem in user space (FUSE). Filesystems that
// are mounted inside the directory have no identity of their own.
func (f *FS) Identity(ctx context.Context, _ string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	info, err := f.statByAccess(rootName)
	if err != nil {
		return "", f.failed("identity", "/", err, reading)
	}
	return identity(info), nil
}

// identity identifies the directory that info describes. Its inode is not enough, because
// the top directories of many filesystems have the same. When it was created is different.
func identity(info fs.FileInfo) string {
	inode, ok := storage.LastingInode(info)
	if !ok {
		return ""
	}
	text := strconv.FormatUint(inode, 10)
	if born := storage.Born(info); !born.IsZero() {
		text += "-" + strconv.FormatInt(born.UnixNano(), 16)
	}
	return text
}
