package local

import (
	"io/fs"
	"path"

	"golang.org/x/sys/unix"
)

// statAtOnce is the policy's Stat with one call for the way and one for its end,
// which would say the same by any policy: there is no symbolic link. Its Sys is a
// storage.Facts, the birth time among them. It is nil where that can't be said.
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
