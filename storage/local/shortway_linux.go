package local

import (
	"errors"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// shortWay opens a collection with one system call and never through a symbolic link, so the
// result doesn't depend on the policy. An os.Root needs two calls for each segment.
type shortWay struct {
	root    descriptor // without users if the short way is not available
	closed  atomic.Bool
	anchors anchors
	// unanchored is set if other servers rename collections too. Then an old anchor would lead
	// to a wrong one.
	unanchored bool
}

// descriptor is open as long as calls use it. A syscall.RawConn does the same, but its
// callbacks allocate memory.
type descriptor struct {
	fd int
	// users counts the calls that are using fd, plus one until it is no longer wanted.
	// The last user closes fd.
	users atomic.Int64
}

// use keeps fd open until done is called. It returns false if fd is not open.
func (d *descriptor) use() bool {
	for {
		users := d.users.Load()
		if users <= 0 {
			return false
		}
		if d.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

func (d *descriptor) done() {
	if d.users.Add(-1) == 0 {
		_ = unix.Close(d.fd) // It was only read.
	}
}

// use returns a descriptor of the root, which stays open until done is called. It
// returns false if the short way is not available.
func (w *shortWay) use() (start int, ok bool) {
	ok = w.root.use()
	return w.root.fd, ok
}

// done ends a use.
func (w *shortWay) done() { w.root.done() }

// open returns a descriptor of the collection dir. It returns false if only the access can
// open dir.
func (w *shortWay) open(dir string, flags uint64) (fd int, ok bool) {
	start, ok := w.use()
	if !ok {
		return -1, false
	}
	defer w.done()
	if ends := anchorEnds(dir); ends != nil && !w.unanchored {
		if fd, ok := w.anchors.openAnchored(start, dir, ends, flags); ok {
			return fd, true
		}
		// Another process may have replaced the collection at an anchor.
		w.anchors.forget()
	}
	return openSteps(start, dir, flags)
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
		fd, err := openBeneath(from, dir[:end], unix.O_PATH|unix.O_DIRECTORY, 0)
		if from != start {
			_ = unix.Close(from)
		}
		if err != nil {
			return -1, false
		}
		from, dir = fd, dir[end+1:]
	}
	fd, err := openBeneath(from, dir, flags|unix.O_DIRECTORY, 0)
	if from != start {
		_ = unix.Close(from)
	}
	return fd, err == nil
}

// openBeneath opens path, which is below the directory start, with one system call. It
// fails if a symbolic link is on the way, and if resolve forbids something that is.
func openBeneath(start int, path string, flags, resolve uint64) (fd int, err error) {
	how := &unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | resolve,
	}
	return retry(func() (int, error) { return unix.Openat2(start, path, how) })
}

// at calls do with a descriptor of the collection dir and closes it afterwards. It returns
// false if only the access can open dir.
func (w *shortWay) at(dir string, do func(holder int)) (ok bool) {
	if dir != rootName {
		holder, ok := w.open(dir, unix.O_PATH)
		if ok {
			do(holder)
			_ = unix.Close(holder)
		}
		return ok
	}
	start, ok := w.use()
	if ok {
		defer w.done()
		do(start)
	}
	return ok
}

// atMount is at, but also reports whether the way to dir stays on one filesystem.
func (w *shortWay) atMount(dir string, do func(holder int)) (here, ok bool) {
	if dir == rootName || len(dir) > longestStep {
		ok = w.at(dir, do)
		return ok && dir == rootName, ok
	}
	start, ok := w.use()
	if !ok {
		return false, false
	}
	defer w.done()
	holder, err := openBeneath(start, dir, unix.O_PATH|unix.O_DIRECTORY, unix.RESOLVE_NO_XDEV)
	here = err == nil
	if errors.Is(err, unix.EXDEV) {
		holder, err = openBeneath(start, dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	}
	if err != nil {
		return false, false
	}
	do(holder)
	_ = unix.Close(holder)
	return here, true
}

// init makes the short way available for root. It does nothing with LinksFollow, which
// finds the directory by its path at each call, and on kernels and in sandboxes without
// openat2.
func (w *shortWay) init(root access) {
	if _, ok := root.(*following); ok {
		return
	}
	start, err := root.OpenFile(rootName, openDirectory|unix.O_PATH, 0)
	if err != nil {
		return
	}
	defer start.Close()
	fd, err := openBeneath(int(start.Fd()), rootName, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err == nil {
		w.root.fd = fd
		w.root.users.Store(1)
	}
}

// unanchor makes the short way use no anchors.
func (w *shortWay) unanchor() { w.unanchored = true }

// usable reports whether the short way is available.
func (w *shortWay) usable() bool { return w.root.users.Load() > 0 }

// forget must be called after anything has been renamed.
func (w *shortWay) forget() { w.anchors.forget() }

// close closes the short way; later calls find it unavailable.
func (w *shortWay) close() {
	w.forget()
	if w.root.users.Load() > 0 && !w.closed.Swap(true) {
		w.done()
	}
}
