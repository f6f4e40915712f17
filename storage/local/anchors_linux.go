package local

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// anchorEvery is how many segments lie between two anchors. Ordinary shares have
	// no path that is so long.
	anchorEvery = 64
	// maxAnchors bounds the descriptors that anchors hold: two operations that each go
	// through a source and a destination find theirs.
	maxAnchors = 16
	// anchorLife is how long an anchor is used. Another process may rename what it
	// stands for, and davd can't see that.
	anchorLife = time.Second
)

// anchors are open collections deep in the tree. Without them the kernel would go
// through every segment of a path at each call, so that the time for a chain of n
// collections would grow with n².
//
// An anchor is found by its path, so davd forgets all of them when it renames
// anything. When another process renames a collection more than anchorEvery levels
// deep, its old path leads to it for anchorLife at most. One that is removed leads
// nowhere, and is looked for again from the root.
type anchors struct {
	mu    sync.Mutex
	open  map[string]*anchor
	moved int // how often all have been forgotten
	timer *time.Timer
	// passed is how many segments of paths with anchors the kernel has gone through.
	passed atomic.Int64
}

// anchor is one open collection.
type anchor struct {
	fd    int
	until time.Time
	users int  // calls that use fd now
	gone  bool // forgotten: the last user closes it
}

// deepest returns the anchor closest to dir, to be released, and what is left of
// the path from there. It returns nil if there is none.
func (a *anchors) deepest(dir string, ends []int) (nearest *anchor, from int) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(ends) - 1; i >= 0; i-- {
		if found := a.open[dir[:ends[i]]]; found != nil && now.Before(found.until) {
			found.users++
			return found, i + 1
		}
	}
	return nil, 0
}

// keep makes fd, the collection at path, an anchor, to be released. moved is what
// the caller knew before it opened fd.
func (a *anchors) keep(path string, fd, moved int) *anchor {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := &anchor{fd: fd, users: 1, until: time.Now().Add(anchorLife)}
	if moved != a.moved {
		kept.gone = true // The path may mean another collection by now.
		return kept
	}
	if a.open == nil {
		a.open = make(map[string]*anchor)
		a.timer = time.AfterFunc(anchorLife, a.expire)
	}
	if old := a.open[path]; old != nil {
		a.dropLocked(path, old)
	}
	for len(a.open) >= maxAnchors {
		a.dropOldestLocked()
	}
	if len(a.open) == 0 {
		a.timer.Reset(anchorLife)
	}
	a.open[path] = kept
	return kept
}

// release ends one use of an anchor.
func (a *anchors) release(used *anchor) {
	if used == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if used.users--; used.users == 0 && used.gone {
		_ = unix.Close(used.fd)
	}
}

// forget is called after davd has renamed anything: a path may now lead elsewhere.
func (a *anchors) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moved++
	for path, each := range a.open {
		a.dropLocked(path, each)
	}
}

// expire closes what has not been used for long.
func (a *anchors) expire() {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for path, each := range a.open {
		if !now.Before(each.until) {
			a.dropLocked(path, each)
		}
	}
	if len(a.open) > 0 {
		a.timer.Reset(anchorLife)
	}
}

func (a *anchors) dropOldestLocked() {
	oldest := ""
	for path, each := range a.open {
		if oldest == "" || each.until.Before(a.open[oldest].until) {
			oldest = path
		}
	}
	a.dropLocked(oldest, a.open[oldest])
}

func (a *anchors) dropLocked(path string, dropped *anchor) {
	delete(a.open, path)
	if dropped.gone = true; dropped.users == 0 {
		_ = unix.Close(dropped.fd)
	}
}

func (a *anchors) generation() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moved
}

// anchorEnds returns where the path of each anchor of dir ends. It returns nil for
// a path that is too short for one.
func anchorEnds(dir string) []int {
	if len(dir) < 2*anchorEvery || strings.Count(dir, "/") < anchorEvery {
		return nil
	}
	var ends []int
	segments := 0
	for i := range len(dir) {
		if dir[i] != '/' {
			continue
		}
		if segments++; segments%anchorEvery == 0 {
			ends = append(ends, i)
		}
	}
	return ends
}

// openAnchored opens the collection dir, which has anchors at ends, from the nearest
// one that is open, and opens those that are missing.
func (a *anchors) openAnchored(start int, dir string, ends []int, flags uint64) (fd int, ok bool) {
	moved := a.generation()
	at, next := a.deepest(dir, ends)
	from, begin := start, 0
	if at != nil {
		from, begin = at.fd, ends[next-1]+1
	}
	a.passed.Add(int64(1 + strings.Count(dir[begin:], "/")))
	for ; next < len(ends); next++ {
		fd, ok := openSteps(from, dir[begin:ends[next]], unix.O_PATH)
		a.release(at)
		if !ok {
			return -1, false
		}
		at = a.keep(dir[:ends[next]], fd, moved)
		from, begin = fd, ends[next]+1
	}
	fd, ok = openSteps(from, dir[begin:], flags)
	a.release(at)
	return fd, ok
}
