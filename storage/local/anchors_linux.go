package local

import (
	"slices"
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
	open  []*anchor // the oldest first
	moved int       // counts how often all anchors were forgotten
	// passed counts the segments of paths with anchors that the kernel has resolved.
	passed atomic.Int64
}

// anchor is one open collection.
type anchor struct {
	descriptor
	path string
}

// deepest returns the open anchor closest to dir and the index of the next end to open.
// The caller must release the anchor. Without an anchor it returns nil. moved is for keep.
func (a *anchors) deepest(dir string, ends []int) (nearest *anchor, from, moved int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, each := range a.open {
		end := len(each.path)
		if i := slices.Index(ends, end); i >= from && each.path == dir[:end] {
			nearest, from = each, i+1
		}
	}
	if nearest != nil {
		nearest.use()
	}
	return nearest, from, a.moved
}

// keep makes fd, the collection at path, an anchor, which the caller must release. moved
// is the result of deepest from before the caller opened fd.
func (a *anchors) keep(path string, fd, moved int) *anchor {
	kept := &anchor{path: path, descriptor: descriptor{fd: fd}}
	kept.users.Store(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if moved != a.moved {
		return kept // The path may lead to another collection now.
	}
	if len(a.open) == maxAnchors {
		a.open[0].done()
		a.open = slices.Delete(a.open, 0, 1)
	}
	kept.use()
	a.open = append(a.open, kept)
	time.AfterFunc(anchorLife, func() { a.expire(kept) })
	return kept
}

// release ends one use of an anchor.
func (a *anchor) release() {
	if a != nil {
		a.done()
	}
}

// forget must be called after davd has renamed anything, because paths may now lead elsewhere.
func (a *anchors) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moved++
	for _, each := range a.open {
		each.done()
	}
	a.open = nil
}

// expire forgets one anchor, which is too old.
func (a *anchors) expire(old *anchor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.open, old); i >= 0 {
		a.open = slices.Delete(a.open, i, i+1)
		old.done()
	}
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
	at, next, moved := a.deepest(dir, ends)
	from, begin := start, 0
	if at != nil {
		from, begin = at.fd, ends[next-1]+1
	}
	a.passed.Add(int64(1 + strings.Count(dir[begin:], "/")))
	for ; next < len(ends); next++ {
		fd, ok := openSteps(from, dir[begin:ends[next]], unix.O_PATH)
		at.release()
		if !ok {
			return -1, false
		}
		at = a.keep(dir[:ends[next]], fd, moved)
		from, begin = fd, ends[next]+1
	}
	fd, ok = openSteps(from, dir[begin:], flags)
	at.release()
	return fd, ok
}
