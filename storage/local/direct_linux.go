package local

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// The functions in this file do the same as the methods of access, but with one system
// call to reach the parent and one for the last segment. An os.Root needs two calls for
// each segment. If a symbolic link is on the way, or is the last segment and must be
// followed, these functions call the access, or return nil if their name ends in AtOnce.

// lstat does the same as Lstat of the access. Sys of its result is a storage.Facts.
func (f *FS) lstat(local string) (fs.FileInfo, error) {
	described := new(info)
	err, ok := f.inParent(local, func(holder int, base string) error {
		var stat unix.Statx_t
		if errno := statx(holder, terminated(base+"\x00"), &stat); errno != 0 {
			return errno
		}
		described.fill(path.Base(local), &stat)
		return nil
	})
	switch {
	case !ok:
		return f.byAccess(f.root.Lstat, local)
	case err != nil:
		return nil, err
	}
	return described, nil
}

// statAtOnce is the policy's Stat with one system call for the way and one for its end. It
// works only if no symbolic link is involved; then the result doesn't depend on the policy.
// Otherwise it returns nil. Sys of the description is a storage.Facts with a birth time.
func (f *FS) statAtOnce(local string) (fs.FileInfo, error) {
	dir, base := splitLast(local)
	described := new(info)
	var errno unix.Errno
	here, ok := f.short.atMount(dir, func(holder int) {
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

// openAtOnce opens local for reading with one system call, provided that no symbolic link
// is on the way; then the result doesn't depend on the policy. Otherwise it returns nil.
// linked reports whether a link may be the reason.
func (f *FS) openAtOnce(local string) (file *os.File, linked bool) {
	if len(local) > longestStep {
		return nil, true // There may be a link.
	}
	start, ok := f.short.use()
	if !ok {
		return nil, true
	}
	defer f.short.done()
	fd, err := openBeneath(start, local, unix.O_RDONLY|nonblock|unix.O_LARGEFILE, 0)
	if err != nil {
		return nil, errors.Is(err, unix.ELOOP)
	}
	return os.NewFile(uintptr(fd), local), false
}

// makeDir creates the collection local as the process would.
func (f *FS) makeDir(local string, perm fs.FileMode) error {
	err, ok := f.inParent(local, func(holder int, base string) error {
		return unix.Mkdirat(holder, base, uint32(perm))
	})
	if !ok {
		return f.root.Mkdir(local, perm)
	}
	return err
}

// unlink removes the file, symbolic link or empty collection base of holder.
func unlink(holder int, base string) error {
	err := unix.Unlinkat(holder, base, 0)
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return err
	}
	if dirErr := unix.Unlinkat(holder, base, unix.AT_REMOVEDIR); !errors.Is(dirErr, unix.ENOTDIR) {
		return dirErr
	}
	return err
}

// chtimes does the same as setTimes.
func (f *FS) chtimes(local string, modified time.Time) error {
	if modified.IsZero() {
		return setTimes(f.root, local, modified)
	}
	err, ok := f.inParent(local, func(holder int, base string) error {
		var stat unix.Stat_t
		if err := unix.Fstatat(holder, base, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
			return errFollow
		}
		spec, err := unix.TimeToTimespec(modified)
		if err != nil {
			return err
		}
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, spec}
		return unix.UtimesNanoAt(holder, base, times, unix.AT_SYMLINK_NOFOLLOW)
	})
	if !ok || errors.Is(err, errFollow) {
		return setTimes(f.root, local, modified)
	}
	return err
}

// errFollow says that the last segment is a symbolic link, which must be followed.
var errFollow = errors.New("a symbolic link")

// inParent calls do with a descriptor of the collection that contains local and with the
// last segment. It returns false if only the access can reach the collection.
func (f *FS) inParent(local string, do func(holder int, base string) error) (err error, ok bool) { //nolint:revive // ok says whether there is an err at all
	if local == rootName {
		return nil, false
	}
	dir, base := splitLast(local)
	ok = f.short.at(dir, func(holder int) {
		_, err = retry(func() (int, error) { return 0, do(holder, base) })
	})
	return err, ok
}

// collection is an open collection whose members can be removed.
type collection struct {
	fd   int
	root *shortWay // if not nil, fd is that of the root, which stays open
}

// openMembers opens the collection local so that its members can be removed.
func (f *FS) openMembers(local string) (memberRemover, error) {
	if local == rootName {
		if start, ok := f.short.use(); ok {
			return &collection{fd: start, root: &f.short}, nil
		}
	}
	if fd, ok := f.short.open(local, unix.O_PATH); ok {
		return &collection{fd: fd}, nil
	}
	return f.openRoot(local)
}

// Remove removes the member base.
func (c *collection) Remove(base string) error {
	_, err := retry(func() (int, error) { return 0, unlink(c.fd, base) })
	return err
}

// Close closes the collection.
func (c *collection) Close() error {
	if c.root == nil {
		return unix.Close(c.fd)
	}
	c.root.done()
	return nil
}
