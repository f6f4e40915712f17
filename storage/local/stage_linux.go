package local

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// unnamed is a stage without a name until it is placed. If the process dies before that, the
// file vanishes.
type unnamed struct {
	descriptor int
	name       string
	// open is made from the descriptor when a caller needs an *os.File. Then open is
	// closed instead of the descriptor.
	open *os.File
	ways []way
}

// way is a way to name a file that has no name.
type way int

const (
	// byDescriptor requires Linux 6.10 or CAP_DAC_READ_SEARCH.
	byDescriptor way = iota
	// byProc requires /proc.
	byProc
)

func defaultWays() []way { return []way{byDescriptor, byProc} }

// noTmpfile are the errors that mean that the filesystem or the kernel can't create files
// without a name.
var noTmpfile = []error{unix.EOPNOTSUPP, unix.EISDIR, unix.ENOENT, unix.EINVAL, unix.ENOSYS}

// newStage returns a stage for s. local is the name for the description of the new file.
func (f *FS) newStage(s *spot, local string, perm fs.FileMode) (stage, error) {
	if err := f.mayReplace(s); err != nil {
		return nil, err
	}
	u, err := f.newUnnamed(s.holder, local, perm)
	if errors.Is(err, errors.ErrUnsupported) {
		return f.newNamed(s, local, perm)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// mayReplace returns an error if the spot has a file that can't be opened for writing.
func (*FS) mayReplace(s *spot) error {
	if s.old == nil {
		return nil
	}
	return unix.Faccessat(s.holder, s.base, unix.W_OK, unix.AT_EACCESS|unix.AT_SYMLINK_NOFOLLOW)
}

// openParent opens the parent collection of local with O_PATH, which is enough to reach its
// members.
func (f *FS) openParent(local string) (*os.File, error) {
	return f.openHandle(parent(local))
}

// newUnnamed returns a stage on the filesystem of the directory at. If that can't have
// one, it returns errors.ErrUnsupported.
func (f *FS) newUnnamed(at int, local string, perm fs.FileMode) (*unnamed, error) {
	if len(f.ways) == 0 {
		return nil, errors.ErrUnsupported
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(at, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, uint32(perm))
	})
	if isOneOf(err, noTmpfile) {
		return nil, errors.ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	s := &unnamed{descriptor: fd, name: local, ways: f.ways}
	if f.linked.Load() {
		return s, nil
	}
	// Test whether the file can get a name at all. "." always fails: with EEXIST if it can.
	if errors.Is(s.link(at, "."), unix.EEXIST) {
		f.linked.Store(true)
		return s, nil
	}
	return nil, errors.Join(errors.ErrUnsupported, s.discard())
}

func (s *unnamed) fd() int { return s.descriptor }

func (s *unnamed) file() *os.File {
	if s.open == nil {
		s.open = os.NewFile(uintptr(s.descriptor), s.name)
	}
	return s.open
}

// Write implements io.Writer.
func (s *unnamed) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := retry(func() (int, error) { return unix.Write(s.descriptor, p[written:]) })
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

func (s *unnamed) discard() error {
	if s.open != nil {
		return s.open.Close()
	}
	return unix.Close(s.descriptor)
}

// place links the file to its name if no file has that. Otherwise it links it to a reserved
// name, which it then renames to the right one.
func (s *unnamed) place(f *FS, to *spot, p storage.Placing) (fs.FileInfo, error) {
	modified, err := unix.TimeToTimespec(p.Modified)
	if err == nil {
		err = setModified(s.descriptor, modified)
	}
	if err == nil && p.Sync.Content() {
		_, err = retry(func() (int, error) { return 0, unix.Fdatasync(s.descriptor) })
	}
	if err != nil {
		return nil, err
	}
	if to.old == nil {
		err = s.link(to.holder, to.base)
	} else {
		err = s.replace(f, to)
	}
	if err != nil {
		return nil, err
	}
	info := &described{name: path.Base(s.name)}
	if err := unix.Fstat(s.descriptor, &info.stat); err != nil {
		return nil, err
	}
	return info, nil
}

func (s *unnamed) replace(f *FS, to *spot) error {
	reserved := f.stage()
	stray := f.note(to.path, reserved)
	err := s.link(to.holder, reserved)
	if err == nil {
		err = unix.Renameat(to.holder, reserved, to.holder, to.base)
		if err != nil {
			if gone := unix.Unlinkat(to.holder, reserved, 0); gone != nil {
				return errors.Join(err, gone) // The reserved name still exists, so keep the note.
			}
		}
	}
	stray.Forget()
	return err
}

// link gives the file the name base in the directory at. It uses the first way that works.
func (s *unnamed) link(at int, base string) error {
	err := errors.ErrUnsupported
	for _, way := range s.ways {
		switch way {
		case byDescriptor:
			err = unix.Linkat(s.descriptor, "", at, base, unix.AT_EMPTY_PATH)
		case byProc:
			err = unix.Linkat(unix.AT_FDCWD, procPath(s.descriptor), at, base, unix.AT_SYMLINK_FOLLOW)
		}
		if err == nil || errors.Is(err, unix.EEXIST) {
			break
		}
	}
	return err
}

func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// syncContent flushes the content of file to the disk.
func syncContent(file *os.File) error {
	_, err := retry(func() (int, error) { return 0, unix.Fdatasync(int(file.Fd())) })
	return err
}

// retry repeats call as long as a signal interrupts it.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// isOneOf reports whether err matches one of targets.
func isOneOf(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
