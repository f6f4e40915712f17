package tree

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// An operation is counted ahead of its walker only once it is older than countAfter, or
// than watchedAfter if a reader watches its Monitor: on quick storage, the walker has
// usually seen everything by then.
const (
	countAfter   = time.Second
	watchedAfter = 100 * time.Millisecond
)

// A tally tells the Monitor of an operation how much the operation has to do. It adds
// up what the walker finds and what the count finds in collections that the walker has
// not reached yet. The numbers of a collection come from only one of the two, so the
// sum is exact even while the walker removes what it has passed. All methods do nothing
// on a nil tally.
type tally struct {
	ctx context.Context //nolint:containedctx // lives as long as the operation
	*Engine
	mon   *Monitor
	begun time.Time
	timer *time.Timer
	wg    sync.WaitGroup

	mu      sync.Mutex
	changed sync.Cond
	started bool // the count has started
	closed  bool
	cancel  context.CancelFunc // ends the count
	// open is the number of branches that are neither listed nor counted. The total is
	// final when it is 0.
	open int
	// waiting holds the branches that the walker will reach, the next one last. current
	// is the branch that it is listing. inside is the counted branch that contains what
	// the walker is listing, if any; collections in that have no branches of their own.
	waiting         []*branch
	current, inside *branch
	// displaced is the previous content of the destination, which will be removed.
	displaced *branch
	// links and more are the fields of the copier.
	links bool
	more  int64
}

// A branch is a collection and everything below it. Either the count counts all of it,
// or the walker lists the collection and makes a branch of each collection in it.
type branch struct {
	chain *chain // the position below root
	root  string
	*lineage
	linked  bool  // reached through a symbolic link, so it will not be removed
	removes bool  // it will be removed, not copied
	self    int64 // how many members it counts as if it is a file

	// The mutex tally.mu guards these.
	claimed bool   // the count has begun with it, or will
	listed  bool   // the walker has listed it, or is done with it
	counted bool   // the count is complete
	found   amount // what the walker has found
	total   amount // what the Monitor knows of

	members, bytes atomic.Int64 // what the count has found so far
}

func (b *branch) name() string { return b.chain.path(b.root) }

// amount is a number of members and the number of bytes of their content.
type amount struct{ members, bytes int64 }

// newTally returns the tally of an operation that has a source and, if displaces is
// true, a destination. The caller must close it. Without a Monitor it returns nil.
func newTally(ctx context.Context, e *Engine, mon *Monitor, displaces bool) *tally {
	if mon == nil {
		return nil
	}
	t := &tally{ctx: ctx, Engine: e, mon: mon, begun: time.Now(), open: 1}
	if displaces {
		t.open++
		t.displaced = &branch{chain: &chain{}, removes: true, self: 1}
	}
	t.changed.L = &t.mu
	t.timer = time.AfterFunc(countAfter, t.start)
	mon.attach(func() { t.timer.Reset(max(watchedAfter-time.Since(t.begun), 0)) })
	return t
}

// close ends the count and waits until it has ended.
func (t *tally) close() {
	if t == nil {
		return
	}
	t.mon.attach(nil)
	t.timer.Stop()
	t.mu.Lock()
	t.closed = true
	t.endLocked()
	t.mu.Unlock()
	t.wg.Wait()
}

// endLocked ends the count.
func (t *tally) endLocked() {
	if t.cancel != nil {
		t.cancel()
	}
	t.changed.Broadcast()
}

// source says that the walker of c begins to copy b. From now on the count may also
// count what will be displaced at dst.
func (t *tally) source(c *copier, b *branch, dst string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.links, t.more, t.displaced.root = c.links, c.more, dst
	if !b.info.IsDir() {
		t.displaced.self = 0 // One rename replaces a file by a file.
	}
	t.waiting = append(t.waiting, t.displaced)
	t.mu.Unlock()
	t.enter(b)
}

// branch returns a branch of the source that will be copied.
func (t *tally) branch(at *chain, root string, of *lineage, linked bool) *branch {
	if t == nil {
		return nil
	}
	return &branch{chain: at, root: root, lineage: of, linked: linked}
}

// doomed returns a branch that will be removed.
func (t *tally) doomed(at *chain, root string, of *lineage) *branch {
	if t == nil {
		return nil
	}
	return &branch{chain: at, root: root, lineage: of, removes: true}
}

// enter says that the walker begins to list b.
func (t *tally) enter(b *branch) {
	if t == nil || b == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inside != nil {
		return
	}
	if last := len(t.waiting) - 1; last >= 0 && t.waiting[last] == b {
		t.waiting[last] = nil
		t.waiting = t.waiting[:last]
	}
	t.current = b
	if b.counted {
		t.inside = b
	}
	t.changed.Broadcast()
}

// found says that the walker has found members and bytes in the branch that it is
// listing.
func (t *tally) found(members, bytes int64) {
	if t == nil || members == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.current
	b.found.members += members
	b.found.bytes += bytes
	t.knowLocked(b, b.found)
}

// knowLocked says that b holds at least least. It tells the Monitor only what exceeds
// b.total: in a counted branch, the walker finds again what the Monitor already knows.
func (t *tally) knowLocked(b *branch, least amount) {
	members, bytes := max(least.members-b.total.members, 0), max(least.bytes-b.total.bytes, 0)
	b.total.members += members
	b.total.bytes += bytes
	t.mon.Found(members, bytes)
}

// listed says that the walker has listed all of the branch that it entered, and will
// reach the branches below in that order.
func (t *tally) listed(below []*branch) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inside != nil {
		return
	}
	t.current.listed, t.current = true, nil
	for i := range below {
		t.waiting = append(t.waiting, below[len(below)-1-i])
	}
	t.openedLocked(len(below) - 1)
	t.changed.Broadcast()
}

// leave says that the walker is done with b. Members that were counted but not found
// have vanished since, so they are skipped.
func (t *tally) leave(b *branch) {
	if t == nil || b == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case b.listed || t.inside != nil && t.inside != b:
		return
	case b.counted:
		t.mon.skip(b.total.members - b.found.members)
	default:
		t.openedLocked(-1)
	}
	b.listed = true
	t.current, t.inside = nil, nil
}

// openedLocked adds by to the number of open branches. If none is left, the total is
// final and the count ends.
func (t *tally) openedLocked(by int) {
	if t.open += by; t.open == 0 {
		t.mon.settle()
		t.endLocked()
	}
}

// displace says that the destination is about to be renamed, so the count can no longer
// find it under its name. It returns the branch that stands for the previous content.
// If the count has begun with that branch but has not ended, displace drops its numbers
// and returns a new one.
func (t *tally) displace() *branch {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.displaced
	t.waiting = nil // Only the destination was left.
	if !b.counted && b.claimed && !b.listed {
		b.listed = true
		b = &branch{chain: &chain{}, removes: true}
		t.displaced = b
	}
	return b
}

// displacedTo says that the previous content of the destination will now be removed
// under the name name. It returns the branch that stands for it.
func (t *tally) displacedTo(name string) *branch {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.displaced.root = name
	return t.displaced
}

// renamed says that one rename has moved the source, which counts as one member.
func (t *tally) renamed() {
	if t == nil {
		return
	}
	t.mon.Found(1, 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.openedLocked(-1)
}
