package local

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// unnamed is a stage that is in no collection until it is placed: a file of
// which nothing is left when the process ends before.
type unnamed struct {
	file *os.File
	way  way
}

// way is how a file without a name gets one.
type way int

const (
	// byDescriptor needs Linux 6.10 or CAP_DAC_READ_SEARCH.
	byDescriptor way = iota
	// byProc needs /proc.
	byProc
)

func defaultWays() []way { return []way{byDescriptor, byProc} }

// noTmpfile are the errors by which a filesystem, or a kernel, says that it
// makes no files without a name.
var noTmpfile = []error{unix.EOPNOTSUPP, unix.EISDIR, unix.ENOENT, unix.EINVAL, unix.ENOSYS}

// newStage returns a stage for target, which replaces a file that is there or
// not. local is the name that Stat will give.
func (f *FS) newStage(target, local string, perm fs.FileMode, replaces bool) (stage, error) {
	dir, err := f.openParent(target)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	at := int(dir.Fd())
	if replaces {
		_, base := splitLast(target)
		err := unix.Faccessat(at, base, unix.W_OK, unix.AT_EACCESS|unix.AT_SYMLINK_NOFOLLOW)
		if err != nil {
			return nil, err
		}
	}
	s, err := newUnnamed(at, local, perm, f.ways)
	if errors.Is(err, errors.ErrUnsupported) {
		return f.newNamed(target, local, perm)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openParent opens the collection that holds local, to be a point to start
// from and not to be read.
func (f *FS) openParent(local string) (*os.File, error) {
	return f.openHandle(parent(local))
}

// newUnnamed returns a stage on the filesystem of the directory at. It is
// errors.ErrUnsupported where there can't be one.
func newUnnamed(at int, local string, perm fs.FileMode, ways []way) (*unnamed, error) {
	if len(ways) == 0 {
		return nil, errors.ErrUnsupported
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(at, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, uint32(perm))
	})
	if slices.ContainsFunc(noTmpfile, func(no error) bool { return errors.Is(err, no) }) {
		return nil, errors.ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	s := &unnamed{file: os.NewFile(uintptr(fd), local)}
	for _, s.way = range ways {
		// Nothing can have this name, but whether the file may is looked at first.
		if errors.Is(s.link(at, "."), unix.EEXIST) {
			return s, nil
		}
	}
	return nil, errors.Join(errors.ErrUnsupported, s.discard())
}

func (s *unnamed) open() *os.File { return s.file }

func (s *unnamed) discard() error { return s.file.Close() }

// place links the file to where nothing is, and else to a reserved name, which
// a rename then turns into the right one.
func (s *unnamed) place(f *FS, local string, modified time.Time, exclusive bool) (fs.FileInfo, error) {
	if err := s.setTime(modified); err != nil {
		return nil, err
	}
	dir, err := f.openParent(local)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	at := int(dir.Fd())
	_, base := splitLast(local)
	if exclusive {
		err = s.link(at, base)
	} else {
		err = s.replace(at, base)
	}
	if err != nil {
		return nil, err
	}
	return s.file.Stat()
}

func (s *unnamed) replace(at int, base string) error {
	reserved := path.Base(storage.Beside("/"))
	if err := s.link(at, reserved); err != nil {
		return err
	}
	err := unix.Renameat(at, reserved, at, base)
	if err != nil {
		return errors.Join(err, unix.Unlinkat(at, reserved, 0))
	}
	return nil
}

// link gives the file the name base in the directory at.
func (s *unnamed) link(at int, base string) error {
	fd := int(s.file.Fd())
	switch s.way {
	case byDescriptor:
		return unix.Linkat(fd, "", at, base, unix.AT_EMPTY_PATH)
	case byProc:
		return unix.Linkat(unix.AT_FDCWD, procPath(fd), at, base, unix.AT_SYMLINK_FOLLOW)
	}
	return errors.ErrUnsupported
}

// setTime leaves the time of access. A kernel before 5.8 needs /proc for it.
func (s *unnamed) setTime(modified time.Time) error {
	fd := int(s.file.Fd())
	to, err := unix.TimeToTimespec(modified)
	if err != nil {
		return err
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, to}
	if s.way == byDescriptor {
		err = unix.UtimesNanoAt(fd, "", times, unix.AT_EMPTY_PATH)
	}
	if s.way == byProc || errors.Is(err, unix.EINVAL) {
		err = unix.UtimesNanoAt(unix.AT_FDCWD, procPath(fd), times, 0)
	}
	return err
}

func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// retry calls until it is not interrupted by a signal.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
