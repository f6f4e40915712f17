package local

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// anchorEvery is the number of segments between two anchors. Paths in ordinary
	// shares are shorter.
	anchorEvery = 64
	// maxAnchors limits the descriptors that anchors hold. It is enough for two
	// operations that each walk through a source and a destination.
	maxAnchors = 16
	// anchorLife is how long an anchor is used. It is short because another process
	// may rename the collection, and davd doesn't notice.
	anchorLife = time.Second
)

// anchors are open collections deep in the tree. Without them the kernel would resolve
// every segment of a path at each call, so work on a chain of n nested collections would
// take time proportional to n².
//
// davd looks an anchor up by its path, and forgets all anchors when it renames anything.
// If another process renames a collection more than anchorEvery levels deep, the old path
// still leads to it for up to anchorLife. An anchor for a removed collection leads nowhere;
// then the path is resolved from the root again.
type anchors struct {
	mu    sync.Mutex
	open  map[string]*anchor
	moved int // counts how often all anchors were forgotten
	timer *time.Timer
	// passed counts the segments of paths with anchors that the kernel has resolved.
	passed atomic.Int64
}

// anchor is one open collection.
type anchor struct {
	fd    int
	until time.Time
	users int  // calls that use fd at present
	gone  bool // forgotten; the last user closes fd
}

// deepest returns the open anchor closest to dir and the index of the next end to open.
// The caller must release the anchor. Without an anchor it returns nil.
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

// keep makes fd, the collection at path, an anchor, which the caller must release. moved
// is the generation from before the caller opened fd.
func (a *anchors) keep(path string, fd, moved int) *anchor {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := &anchor{fd: fd, users: 1, until: time.Now().Add(anchorLife)}
	if moved != a.moved {
		kept.gone = true // The path may lead to another collection now.
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

// forget must be called after davd has renamed anything, because paths may now lead elsewhere.
func (a *anchors) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moved++
	for path, each := range a.open {
		a.dropLocked(path, each)
	}
}

// expire closes the anchors that are too old.
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

// anchorEnds returns the offsets in dir at which the paths of anchors end. It returns nil
// if dir is too short for an anchor.
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

// openAnchored opens the collection dir, starting from the nearest open anchor. It opens
// the missing anchors on the way. ends are the results of anchorEnds.
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
