package local

import (
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// shortWay opens a collection by one call, and never through a symbolic link, so
// that it is the same to every policy. An os.Root needs two for each segment.
type shortWay struct {
	once  sync.Once
	start *os.File        // the root; nil where there is no such way
	raw   syscall.RawConn // of start
}

// open returns a descriptor of the collection dir. It returns false where that
// can't be said: only the long way can.
func (w *shortWay) open(f *FS, dir string) (fd int, ok bool) {
	w.once.Do(func() { w.init(f) })
	if w.raw == nil {
		return -1, false
	}
	how := &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	var failed error
	// Nobody closes it meanwhile.
	err := w.raw.Control(func(start uintptr) {
		fd, failed = retry(func() (int, error) { return unix.Openat2(int(start), dir, how) })
	})
	return fd, err == nil && failed == nil
}

// at calls do with a descriptor of the collection dir, which is open as long as
// that takes. It returns false where that can't be said.
func (w *shortWay) at(f *FS, dir string, do func(holder int)) (ok bool) {
	if dir != rootName {
		holder, ok := w.open(f, dir)
		if ok {
			do(holder)
			_ = unix.Close(holder)
		}
		return ok
	}
	w.once.Do(func() { w.init(f) })
	return w.raw != nil && w.raw.Control(func(start uintptr) { do(int(start)) }) == nil
}

// init makes no start where the directory is found by its path at each call.
func (w *shortWay) init(f *FS) {
	if f.links == LinksFollow {
		return
	}
	start, err := f.openHandle(rootName)
	if err != nil {
		return
	}
	fd, err := unix.Openat2(int(start.Fd()), rootName, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH})
	if slices.ContainsFunc(noOpenat2, func(no error) bool { return errors.Is(err, no) }) {
		_ = start.Close()
		return
	}
	_ = unix.Close(fd)
	if raw, err := start.SyscallConn(); err == nil {
		w.start, w.raw = start, raw
	}
}

// close ends it for good.
func (w *shortWay) close() {
	w.once.Do(func() {})
	if w.start != nil {
		_ = w.start.Close()
	}
}
