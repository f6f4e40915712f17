package local

import (
	"io/fs"
	"path"

	"golang.org/x/sys/unix"
)

// statAtOnce is the policy's Stat with one system call for the way and one for its end. It
// works only if no symbolic link is involved; then the result doesn't depend on the policy.
// Otherwise it returns nil. Sys of the description is a storage.Facts with a birth time.
func (f *FS) statAtOnce(local string) (fs.FileInfo, error) {
	dir, base := splitLast(local)
	described := new(info)
	var errno unix.Errno
	here, ok := f.short.atMount(f, dir, func(holder int) {
		var stat unix.Statx_t
		if errno = statx(holder, terminated(base+"\x00"), &stat); errno == 0 {
			described.fill(path.Base(local), &stat)
		}
	})
	switch {
	case ok && errno == unix.ENOENT:
		return nil, errno
	case !ok || described.name == "" || described.mode&fs.ModeSymlink != 0:
		return nil, nil
	}
	described.direct = here && f.plain()
	return described, nil
}
