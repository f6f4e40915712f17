package local

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openAtOnce opens local for reading with one system call, provided that no symbolic link
// is on the way; then the result doesn't depend on the policy. Otherwise it returns nil.
// linked reports whether a link may be the reason.
func (f *FS) openAtOnce(local string) (file *os.File, linked bool) {
	if len(local) > longestStep {
		return nil, true // There may be a link.
	}
	start, ok := f.short.use(f)
	if !ok {
		return nil, true
	}
	defer f.short.done()
	how := &unix.OpenHow{
		Flags:   unix.O_RDONLY | nonblock | unix.O_CLOEXEC | unix.O_LARGEFILE,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(start, local, how) })
	if err != nil {
		return nil, errors.Is(err, unix.ELOOP)
	}
	return os.NewFile(uintptr(fd), local), false
}
