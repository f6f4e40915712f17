package local

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// openDirectory are the flags for opening a collection to list it.
const openDirectory = unix.O_RDONLY | unix.O_DIRECTORY | nonblock

// mount identifies a mounted filesystem. Since Linux 6.8 the kernel never reuses the
// number of a mount (STATX_MNT_ID_UNIQUE). On older kernels the device and the type make a
// mix-up unlikely.
type mount struct {
	id     uint64
	device uint64
	kind   int64
}

// statxMntIDUnique is STATX_MNT_ID_UNIQUE.
const statxMntIDUnique = 0x4000

// These are types of filesystems (statfs(2)) that package unix lacks.
const (
	exfatMagic    = 0x2011bab0
	bcachefsMagic = 0xca451a4e
)

// fsCasefold is FS_CASEFOLD_FL.
const fsCasefold = 0x40000000

// foldKind says how a filesystem folds names.
type foldKind int

const (
	foldUnknown   foldKind = iota // only a probe tells
	foldNever                     // no collection
	foldAlways                    // each collection
	foldByFeature                 // each collection has a flag of its own
)

// foldKindOf returns what is known from the type of a filesystem alone.
func foldKindOf(magic int64) foldKind {
	switch magic {
	case unix.BTRFS_SUPER_MAGIC:
		return foldNever
	case unix.MSDOS_SUPER_MAGIC, exfatMagic:
		return foldAlways
	case unix.EXT4_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		if !kernelFolds() {
			return foldNever
		}
		return foldByFeature
	case bcachefsMagic:
		return foldByFeature
	}
	return foldUnknown
}

// kernelFolds reports whether the kernel can fold names in ext4, f2fs and tmpfs
// (CONFIG_UNICODE).
var kernelFolds = sync.OnceValue(func() bool {
	known := false
	for _, features := range []string{"/sys/fs/ext4/features", "/sys/fs/f2fs/features"} {
		if _, err := os.Stat(features); err != nil {
			continue
		}
		known = true
		if _, err := os.Stat(features + "/casefold"); err == nil {
			return true
		}
	}
	return !known
})

// folds reports whether the collection local folds names. If local doesn't exist, it
// reports this for the closest collection above it. If it can't find out, it returns true.
func (f *FS) folds(local string) bool {
	dir, err := f.openHandle(local)
	for errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		if local == rootName || local == "/" {
			return true
		}
		local, _ = splitLast(local)
		if local == "" {
			local = "/"
		}
		dir, err = f.openHandle(local)
	}
	if err != nil {
		return true
	}
	defer dir.Close()
	m, ok := mountOf(int(dir.Fd()))
	if !ok {
		return true
	}
	may := f.foldings.folds(m, func() (bool, bool) { return f.mayFold(m, int(dir.Fd()), local) })
	return may && (foldKindOf(m.kind) != foldByFeature || hasFoldFlag(int(dir.Fd())))
}

// mayFold reports whether a collection on m, such as the open collection local, may fold
// names.
func (f *FS) mayFold(m mount, fd int, local string) (may, sure bool) {
	switch foldKindOf(m.kind) {
	case foldNever:
		return false, true
	case foldAlways:
		return true, true
	case foldByFeature:
		// Without the feature, no collection of the filesystem has the flag.
		return hasFoldFeature(fd)
	}
	return f.probe(local)
}

// mountOf returns the mount of the directory fd.
func mountOf(fd int) (mount, bool) {
	var stat unix.Statfs_t
	if err := unix.Fstatfs(fd, &stat); err != nil {
		return mount{}, false
	}
	m := mount{kind: int64(stat.Type)} //nolint:unconvert // the types differ from one processor to the next
	var extended unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|statxMntIDUnique, &extended); err == nil {
		if extended.Mask&statxMntIDUnique != 0 {
			m.id = extended.Mnt_id
		}
		m.device = unix.Mkdev(extended.Dev_major, extended.Dev_minor)
		return m, true
	}
	var old unix.Stat_t
	if err := unix.Fstat(fd, &old); err != nil {
		return mount{}, false
	}
	m.device = uint64(old.Dev) //nolint:unconvert // the types differ from one processor to the next
	return m, true
}

// hasFoldFlag reports whether the directory fd has the flag for folding names.
func hasFoldFlag(fd int) bool {
	flags, err := withReadable(fd, func(readable int) (int, error) {
		return unix.IoctlGetInt(readable, unix.FS_IOC_GETFLAGS)
	})
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) {
		return false // The filesystem has no such flag.
	}
	return err != nil || flags&fsCasefold != 0
}

// hasFoldFeature reports whether collections on the filesystem of the directory fd can
// have the flag. It tries to set the flag on fd, which must fail because fd has members;
// the error differs if the filesystem lacks the feature. If the call succeeds because the
// last member has just been removed, hasFoldFeature clears the flag again. For an empty
// directory it doesn't try, and is not sure.
func hasFoldFeature(fd int) (has, sure bool) {
	sure = true
	_, err := withReadable(fd, func(readable int) (int, error) {
		flags, err := unix.IoctlGetInt(readable, unix.FS_IOC_GETFLAGS)
		if err != nil || flags&fsCasefold != 0 {
			return 0, err
		}
		if empty(readable) {
			sure = false
			return 0, nil
		}
		if err := unix.IoctlSetPointerInt(readable, unix.FS_IOC_SETFLAGS, flags|fsCasefold); err != nil {
			return 0, err
		}
		return 0, unix.IoctlSetPointerInt(readable, unix.FS_IOC_SETFLAGS, flags)
	})
	return !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOTTY), sure
}

// withReadable calls do with a descriptor of the directory fd that is open for reading.
func withReadable(fd int, do func(readable int) (int, error)) (int, error) {
	readable, err := retry(func() (int, error) {
		return unix.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(readable) }()
	return do(readable)
}

// empty reports whether the directory fd has no members, or can't be read.
func empty(fd int) bool {
	buf := make([]byte, 4096)
	n, err := unix.Getdents(fd, buf)
	if err != nil {
		return true
	}
	for range dirents(buf[:n]) {
		return false
	}
	return true
}

// plain reports whether no collection of the directory folds names, apart from other file
// systems mounted below it.
func (f *FS) plain() bool {
	if known := f.plainRoot.Load(); known != nil {
		return *known
	}
	start, ok := f.short.use()
	if !ok {
		return false
	}
	defer f.short.done()
	m, ok := mountOf(start)
	if !ok {
		return false
	}
	folds, sure := f.mayFold(m, start, rootName)
	plain := !folds
	if sure {
		f.plainRoot.Store(&plain)
	}
	return plain
}

// direct reports whether local is certain to be its own Canon: the way to it contains no
// symbolic link and no other filesystem, and nothing folds names. It opens local as a
// directory, so that the call opens no descriptor for a file.
func (f *FS) direct(local string, follow bool) bool {
	if !f.plain() {
		return false
	}
	if local == rootName {
		return true
	}
	start, ok := f.short.use()
	if !ok {
		return false
	}
	defer f.short.done()
	direct, linked := withoutLinks(start, local)
	if linked && !follow {
		holder := parent(local)
		if holder == rootName {
			return true
		}
		direct, _ = withoutLinks(start, holder)
	}
	return direct
}

// withoutLinks reports whether the way to local contains no symbolic link and no other
// filesystem. If it returns false, linked says whether the reason is a link.
func withoutLinks(start int, local string) (direct, linked bool) {
	fd, err := openBeneath(start, local, unix.O_PATH|unix.O_DIRECTORY, unix.RESOLVE_NO_XDEV)
	if err == nil {
		_ = unix.Close(fd)
	}
	missing := errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)
	return err == nil || missing, errors.Is(err, unix.ELOOP)
}
