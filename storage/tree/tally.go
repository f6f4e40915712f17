package tree

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
)

const (
	// countAfter is the age from which on what an operation has to do is counted
	// ahead of its walker, and watchedAfter the same for one that somebody looks
	// at: on quick storage the walker of most has seen all by then.
	countAfter   = time.Second
	watchedAfter = 100 * time.Millisecond
)

// A tally tells the Monitor of an operation how much there is: what its walker
// finds and, ahead of it, what a count finds of what the walker has not come to. Each
// collection is counted by one of them only, so the sum is exact, also while what
// has been walked is being removed. All methods do nothing on a nil tally.
type tally struct {
	ctx   context.Context //nolint:containedctx // lives as long as the operation
	fsys  storage.FS
	mon   *Monitor
	begun time.Time
	timer *time.Timer
	wg    sync.WaitGroup

	mu      sync.Mutex
	changed sync.Cond
	started bool // the count
	closed  bool
	cancel  context.CancelFunc // of the count
	// open is how many branches are neither listed nor counted. The total is final
	// when there is none.
	open int
	// waiting are those that the walker will come to, the next one last; current is
	// that which it lists; inside the counted one in which it is, which has no
	// branches of its own.
	waiting         []*branch
	current, inside *branch
	// displaced is what is to be removed of the destination.
	displaced *branch
	// links and more are the copier's.
	links bool
	more  int64
}

// A branch is a collection and all that is below it: some of it found by the walker,
// or all by the count.
type branch struct {
	chain *chain // where it is, below the name root
	root  string
	*lineage
	linked  bool  // a symbolic link has led to it, so that it is not to be removed
	removes bool  // it is to be removed, and not copied
	self    int64 // for how many it counts if it is a file

	// The tally's mu guards these.
	claimed bool // by the count
	listed  bool // by the walker: what is below it are branches of their own
	counted bool // members and bytes are all
	found   amount
	total   amount

	members, bytes atomic.Int64 // counted so far
}

func (b *branch) name() string { return b.chain.path(b.root) }

// amount is a number of members and the bytes of their content.
type amount struct{ members, bytes int64 }

// newTally returns the tally of an operation that has a source and, if displaces, a
// destination. It is to be closed.
func newTally(ctx context.Context, fsys storage.FS, mon *Monitor, displaces bool) *tally {
	if mon == nil {
		return nil
	}
	t := &tally{ctx: ctx, fsys: fsys, mon: mon, begun: time.Now(), open: 1}
	if displaces {
		t.open++
		t.displaced = &branch{chain: &chain{}, removes: true, self: 1}
	}
	t.changed.L = &t.mu
	t.timer = time.AfterFunc(countAfter, t.start)
	mon.attach(func() { t.timer.Reset(max(watchedAfter-time.Since(t.begun), 0)) })
	return t
}

// close ends the count and waits for that.
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

// source begins with b, which c is to copy, and lets what it will displace at dst be
// counted.
func (t *tally) source(c *copier, b *branch, dst string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.links, t.more, t.displaced.root = c.links, c.more, dst
	if !b.info.IsDir() {
		t.displaced.self = 0 // A file is replaced by another in one step.
	}
	t.waiting = append(t.waiting, t.displaced)
	t.mu.Unlock()
	t.enter(b)
}

// branch returns a branch of the source.
func (t *tally) branch(at *chain, root string, of *lineage, linked bool) *branch {
	if t == nil {
		return nil
	}
	return &branch{chain: at, root: root, lineage: of, linked: linked}
}

// doomed returns a branch that is to be removed.
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

// found says that the walker has found members and bytes in what it lists.
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

// knowLocked says that there is at least least of b.
func (t *tally) knowLocked(b *branch, least amount) {
	members, bytes := max(least.members-b.total.members, 0), max(least.bytes-b.total.bytes, 0)
	b.total.members += members
	b.total.bytes += bytes
	t.mon.Found(members, bytes)
}

// listed says that the walker has listed what it has entered, all of it, and will
// come to below in that order.
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

// leave says that the walker is through with b. What was counted of it and not found
// has vanished since: nothing is left to be done about it.
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

// openedLocked changes how many branches are open.
func (t *tally) openedLocked(by int) {
	if t.open += by; t.open == 0 {
		t.mon.settle()
		t.endLocked()
	}
}

// displace says that the destination is about to be displaced: if it has not been
// counted it can't be any more under its name. It returns what stands for it.
func (t *tally) displace() *branch {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.displaced
	t.waiting = nil // it was the last
	if !b.counted && b.claimed && !b.listed {
		b.listed = true
		b = &branch{chain: &chain{}, removes: true}
		t.displaced = b
	}
	return b
}

// displacedTo returns what stands for the destination, which is to be removed under
// that name now.
func (t *tally) displacedTo(name string) *branch {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.displaced.root = name
	return t.displaced
}

// renamed says that the source is one member, and is done with.
func (t *tally) renamed() {
	if t == nil {
		return
	}
	t.mon.Found(1, 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.openedLocked(-1)
}
