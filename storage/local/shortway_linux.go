package local

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// shortWay opens a collection with one system call and never through a symbolic link, so the
// result doesn't depend on the policy. An os.Root needs two calls for each segment.
type shortWay struct {
	once  sync.Once
	start *os.File        // the root; nil if the short way is not available
	raw   syscall.RawConn // of start

	anchors anchors
}

// open returns an O_PATH descriptor of the collection dir. It returns false if only the
// access can open dir.
func (w *shortWay) open(f *FS, dir string) (fd int, ok bool) {
	return w.openAs(f, dir, unix.O_PATH)
}

// openAs is open with other flags.
func (w *shortWay) openAs(f *FS, dir string, flags uint64) (fd int, ok bool) {
	w.once.Do(func() { w.init(f) })
	if w.raw == nil {
		return -1, false
	}
	ends := anchorEnds(dir)
	// Control keeps start open meanwhile.
	err := w.raw.Control(func(start uintptr) {
		if ends != nil {
			if fd, ok = w.anchors.openAnchored(int(start), dir, ends, flags); ok {
				return
			}
			// Another process may have replaced the collection at an anchor.
			w.anchors.forget()
		}
		fd, ok = openSteps(int(start), dir, flags)
	})
	return fd, ok && err == nil
}

// longestStep is the maximum length of a path for one system call, in bytes, without the
// final NUL.
const longestStep = unix.PathMax - 1

// openSteps opens the collection dir, which is below the directory start. It uses as many
// system calls as the length of dir requires.
func openSteps(start int, dir string, flags uint64) (fd int, ok bool) {
	from := start
	for len(dir) > longestStep {
		end := strings.LastIndexByte(dir[:longestStep+1], '/')
		if end <= 0 {
			break // The name is too long to exist.
		}
		fd, ok := openBelow(from, dir[:end], unix.O_PATH)
		if from != start {
			_ = unix.Close(from)
		}
		if !ok {
			return -1, false
		}
		from, dir = fd, dir[end+1:]
	}
	fd, ok = openBelow(from, dir, flags)
	if from != start {
		_ = unix.Close(from)
	}
	return fd, ok
}

func openBelow(start int, dir string, flags uint64) (fd int, ok bool) {
	how := &unix.OpenHow{
		Flags:   flags | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(start, dir, how) })
	return fd, err == nil
}

// at calls do with a descriptor of the collection dir and closes it afterwards. It returns
// false if only the access can open dir.
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

// atMount is at, but also reports whether the way to dir stays on one filesystem.
func (w *shortWay) atMount(f *FS, dir string, do func(holder int)) (here, ok bool) {
	if dir == rootName || len(dir) > longestStep {
		ok = w.at(f, dir, do)
		return ok && dir == rootName, ok
	}
	w.once.Do(func() { w.init(f) })
	if w.raw == nil {
		return false, false
	}
	how := &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	}
	holder := -1
	err := w.raw.Control(func(start uintptr) {
		var err error
		holder, err = retry(func() (int, error) { return unix.Openat2(int(start), dir, how) })
		here, ok = true, err == nil
		if errors.Is(err, unix.EXDEV) {
			holder, ok = openBelow(int(start), dir, unix.O_PATH)
			here = false
		}
	})
	if err != nil || !ok {
		return false, false
	}
	do(holder)
	_ = unix.Close(holder)
	return here, true
}

// init leaves start nil with LinksFollow, which finds the directory by its path at each
// call, and on kernels and in sandboxes without openat2.
func (w *shortWay) init(f *FS) {
	if f.links == LinksFollow {
		return
	}
	start, err := f.openHandleByRoot(rootName)
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

// usable reports whether the short way is available.
func (w *shortWay) usable(f *FS) bool {
	w.once.Do(func() { w.init(f) })
	return w.raw != nil
}

// forget must be called after anything has been renamed.
func (w *shortWay) forget() { w.anchors.forget() }

// close closes the short way; later calls find it unavailable.
func (w *shortWay) close() {
	w.once.Do(func() {})
	w.forget()
	if w.start != nil {
		_ = w.start.Close()
	}
}
