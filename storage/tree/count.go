package tree

import (
	"context"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/davd/davd/storage"
)

// countAfter is how old an operation is when the count ahead of its walker begins. On
// quick storage, the walker has usually seen everything by then.
const countAfter = 500 * time.Millisecond

// A count tells the Monitor of an operation how much the operation has to do. It adds up
// what the walker of the operation finds, and what a [Walk] finds in collections that the
// walker has not reached yet. The numbers of a collection come from only one of the two,
// so the sum is exact even while the walker removes what it has passed.
type count struct {
	*Engine
	mon     *Monitor
	ctx     context.Context    //nolint:containedctx // ends with the operation, or when the total is final
	cancel  context.CancelFunc // ends ctx
	timer   *time.Timer        // nil without a Monitor
	running sync.WaitGroup     // until run has returned
	grown   chan struct{}      // has a value if waiting may have grown

	mu   sync.Mutex
	open int // branches that are neither listed nor counted; the total is final at 0
	// waiting holds the branches that the walker has not listed and run has not claimed.
	// The walker lists the last one next, or is listing it.
	waiting []*branch
	// displaced is the previous content of the destination, which will be removed; nil
	// for a DELETE.
	source, displaced *branch
}

// A branch is a collection and everything below it. Either the count counts all of it,
// or the walker lists the collection and makes a branch of each collection in it. The
// methods do nothing on a nil branch, which stands for what is counted already.
type branch struct {
	count *count
	view  view
	at    *collection // has no info while the root is not described

	// The mutex count.mu guards these.
	listed      bool   // the walker has listed it, or is done with it
	counted     bool   // the count is complete
	found, seen amount // what the walker has found, and what run has seen, so far
	total       amount // what the Monitor knows of
}

// amount is a number of members and the number of bytes of their content.
type amount struct{ members, bytes int64 }

func (a *amount) add(more amount) {
	a.members += more.members
	a.bytes += more.bytes
}

// A view says what an operation sees in place of an entry of a collection, nil if
// nothing, and how much it has to do for the entry. linked says that a symbolic link has
// led to the collection.
type view func(ctx context.Context, name string, entry fs.FileInfo, linked bool) (fs.FileInfo, amount, error)

// removed is the view of a removal, which removes every entry and follows no link.
func removed(_ context.Context, _ string, entry fs.FileInfo, _ bool) (fs.FileInfo, amount, error) {
	return entry, amount{members: 1}, nil
}

// newCount returns a count. A DELETE has no destination. Without a Monitor, run is never
// called. The caller must close the count.
func (e *Engine) newCount(ctx context.Context, mon *Monitor, source, destination string) *count {
	c := &count{Engine: e, mon: mon, open: 1, grown: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.source = c.removal(source)
	if destination != "" {
		c.open++
		c.displaced = c.removal(destination)
	}
	mon.setOpen(true)
	if mon != nil {
		c.running.Add(1)
		c.timer = time.AfterFunc(countAfter, c.run)
	}
	return c
}

// close ends the count and waits until it has ended.
func (c *count) close() {
	c.cancel()
	if c.timer != nil && !c.timer.Stop() {
		c.running.Wait()
	}
}

// removal returns the branch of a tree that will be removed, entry by entry.
func (c *count) removal(name string) *branch {
	return &branch{count: c, at: &collection{root: name}, view: removed}
}

// begin says that the walker begins with at, the root of b, which counts as itself.
func (b *branch) begin(at *collection, itself amount) {
	if b == nil {
		return
	}
	c := b.count
	c.mu.Lock()
	at.branch, b.at = b, at
	if b == c.source && c.displaced != nil {
		c.push(0, c.displaced)
	}
	if !b.counted {
		b.seen = itself
		c.push(0, b)
	}
	c.mu.Unlock()
	b.find(itself)
	if !at.info.IsDir() {
		b.leave(at)
	}
}

// push adds to waiting and by to open. At 0, the count ends. mu is held.
func (c *count) push(by int, branches ...*branch) {
	c.waiting = append(c.waiting, branches...)
	if c.open += by; c.open == 0 {
		c.mon.setOpen(false)
		c.cancel()
	}
	select {
	case c.grown <- struct{}{}:
	default:
	}
}

// displace says that the destination is about to be renamed, so that run can no longer
// find it. If it is not counted by now, the walker counts it when it removes it.
func (c *count) displace() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.displaced.counted {
		c.displaced.listed = true
		c.displaced = c.removal(c.displaced.at.root)
	}
}

// find says that the walker has found more in the collection that it is listing.
func (b *branch) find(more amount) {
	if b == nil || more.members == 0 {
		return
	}
	b.count.mu.Lock()
	defer b.count.mu.Unlock()
	b.found.add(more)
	b.know(b.found)
}

// know says that b holds at least least. It tells the Monitor only what exceeds total:
// in a counted branch, the walker finds again what the Monitor already knows. mu is held.
func (b *branch) know(least amount) {
	more := amount{max(least.members-b.total.members, 0), max(least.bytes-b.total.bytes, 0)}
	b.total.add(more)
	b.count.mon.Found(more.members, more.bytes)
}

// list says that the walker has listed a collection of b, and will reach the collections
// below in that order. It sets their branches.
func (b *branch) list(below []*collection) {
	if b == nil {
		return
	}
	c := b.count
	c.mu.Lock()
	defer c.mu.Unlock()
	branches := make([]*branch, len(below))
	for i := range below {
		at := below[len(below)-1-i]
		if at.branch = b; !b.counted {
			at.branch = &branch{count: c, view: b.view, at: at}
			branches[i] = at.branch
		}
	}
	if b.counted {
		return
	}
	b.listed = true
	if last := len(c.waiting) - 1; last >= 0 && c.waiting[last] == b {
		c.waiting[last] = nil
		c.waiting = c.waiting[:last]
	}
	c.push(len(branches)-1, branches...)
}

// leave says that the walker is done with at, even if it has not listed it. Members that
// were counted but not found have vanished since, so they are skipped.
func (b *branch) leave(at *collection) {
	if b == nil || b.at != at {
		return
	}
	b.count.mu.Lock()
	defer b.count.mu.Unlock()
	switch {
	case b.listed:
	case b.counted:
		b.count.mon.skip(b.total.members - b.found.members)
	default:
		b.count.push(-1)
	}
	b.listed = true
}

// gone says that no tree of b is left.
func (b *branch) gone() {
	if b != nil {
		b.leave(b.at)
	}
}

// run counts until the total is final. The timer calls it. The operation itself will
// meet the same error or panic of the storage, and report it.
func (c *count) run() {
	defer c.running.Done()
	defer func() { _ = recover() }()
	if c.ctx.Err() != nil {
		return
	}
	standBack()
	for {
		select {
		case <-c.grown:
		case <-c.ctx.Done():
			return
		}
		c.mu.Lock()
		branches := c.waiting
		c.waiting = nil
		c.mu.Unlock()
		if err := c.walk(branches); err != nil {
			return
		}
		for _, b := range branches {
			b.publish()
		}
	}
}

// walk counts branches, beginning with those that the walker will reach last.
func (c *count) walk(branches []*branch) error {
	turn := turn{of: &c.Workers.counting, client: c.Client}
	turn.acquire(c.ctx)
	defer turn.release()
	var roots []*walked
	for _, b := range branches {
		if root := b.walked(c.ctx); root != nil {
			roots = append(roots, root)
		}
	}
	if len(roots) == 0 {
		return c.ctx.Err()
	}
	w := &Walk{FS: c.FS, Workers: c.Workers, Prepare: func(context.Context, []Member) func() error {
		return func() error { return nil }
	}}
	k := newWalking(w, roots...)
	k.quickHelpers, k.slowHelpers = semaphore.NewWeighted(0), c.Workers.countSlow
	return k.run(c.ctx)
}

// walked returns the root of a walk through b; nil if b is no collection.
func (b *branch) walked(ctx context.Context) *walked {
	name := b.at.name()
	if b.at.info == nil {
		info, err := storage.Lstat(ctx, b.count.FS, name)
		if err != nil || !info.IsDir() && !b.count.source.at.info.IsDir() {
			return nil // One rename replaces a file by a file.
		}
		b.seen.members = 1
		if !info.IsDir() {
			return nil
		}
		b.at.info = info
	}
	root := newWalked(name, b.at.info, Infinite, b.at.parent, b)
	root.linked = b.at.linked
	return root
}

// see calls view for an entry of b and counts it.
func (b *branch) see(ctx context.Context, name string, entry fs.FileInfo, linked bool) (fs.FileInfo, error) {
	info, more, err := b.view(ctx, name, entry, linked)
	b.count.mu.Lock()
	defer b.count.mu.Unlock()
	b.seen.add(more)
	return info, err
}

// over reports that b doesn't need to be counted any longer, because the walker has listed it.
func (b *branch) over() bool {
	if b == nil {
		return false
	}
	b.count.mu.Lock()
	defer b.count.mu.Unlock()
	return b.listed
}

// publish adds what was counted to the total. If the walker has listed b meanwhile, it
// does nothing: some of b may have been removed before it was counted.
func (b *branch) publish() {
	b.count.mu.Lock()
	defer b.count.mu.Unlock()
	if b.listed {
		return
	}
	b.counted = true
	b.know(b.seen)
	b.count.push(-1)
}
