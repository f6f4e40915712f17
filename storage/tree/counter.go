package tree

import (
	"context"
	"io/fs"
	"time"

	"github.com/davd/davd/storage"
)

// countTurn is how long a goroutine counts on quick storage before it pauses.
const countTurn = 2 * time.Millisecond

// A counter counts branches of a tally, by the rules of the operation. If a counted
// member no longer exists when the walker reaches it, the tally skips it.
type counter struct {
	*tally
	ctx     context.Context //nolint:containedctx // lives as long as the count
	walking *walking
	current *branch // the branch whose members are being delivered
	begun   time.Time
	turn    turn
}

// start counts until the total is final. The timer calls it.
func (t *tally) start() {
	t.mu.Lock()
	if t.started || t.closed || t.open == 0 || t.ctx.Err() != nil {
		t.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(t.ctx)
	t.started, t.cancel = true, cancel
	t.wg.Add(1)
	t.mu.Unlock()
	defer t.wg.Done()
	// The operation itself will meet the same error or panic of the storage, and report
	// it.
	defer func() { _ = recover() }()
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.changed.Broadcast()
	})()
	standBack()
	c := &counter{tally: t, ctx: ctx, turn: turn{of: &t.Workers.counting}}
	for branches := c.claim(); branches != nil; branches = c.claim() {
		if err := c.count(branches); err != nil {
			return
		}
	}
}

// claim claims all branches that can be counted, and waits if there are none now. The
// first ones are those that the walker will reach last. It returns nil when the count
// has ended.
func (c *counter) claim() []*branch {
	t := c.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	for c.ctx.Err() == nil && !t.closed && t.open > 0 {
		var claimed []*branch
		for _, b := range t.waiting {
			if !b.claimed {
				b.claimed = true
				claimed = append(claimed, b)
			}
		}
		if b := t.current; b != nil && !b.claimed && !b.counted {
			b.claimed = true
			claimed = append(claimed, b)
		}
		if len(claimed) > 0 {
			return claimed
		}
		t.changed.Wait()
	}
	return nil
}

// count counts branches.
func (c *counter) count(branches []*branch) error {
	c.turn.acquire(c.ctx)
	defer c.turn.release()
	var roots []*walked
	for _, b := range branches {
		if !c.describe(b) {
			c.publish(b)
			continue
		}
		root := newWalked(b.name(), b.info, Infinite, b.parent)
		root.branch, root.linked = b, b.linked
		roots = append(roots, root)
	}
	if len(roots) == 0 {
		return c.ctx.Err()
	}
	w := &Walk{FS: c.FS, Workers: c.Workers, Prepare: func(context.Context, []Member) func() error { return nil }}
	c.walking = newWalking(w, roots...)
	c.walking.counter = c
	c.current, c.begun = roots[0].branch, time.Now()
	if err := c.walking.run(c.ctx); err != nil {
		return err
	}
	c.publish(c.current)
	return nil
}

// describe reports whether b is a collection. A branch that will be removed may also be
// a file, or not exist.
func (c *counter) describe(b *branch) bool {
	if b.lineage == nil {
		info, err := storage.Lstat(c.ctx, c.FS, b.name())
		if err != nil {
			return false
		}
		if !info.IsDir() {
			b.members.Add(b.self)
			return false
		}
		b.members.Add(1)
		b.lineage = &lineage{info: info}
	}
	return true
}

// see counts an entry of a collection, and returns what the operation sees in its
// place.
func (c *counter) see(of *walked, name string, entry fs.FileInfo) (fs.FileInfo, error) {
	if of.branch.removes {
		of.branch.members.Add(1)
		return entry, nil
	}
	info, err := member(c.ctx, c.FS, name, entry, c.links)
	of.branch.members.Add(weight(info != nil || err != nil, of.linked, c.more))
	of.branch.bytes.Add(size(info))
	return info, err
}

// weight returns how many members an entry of the source counts as. It will be copied
// if it is seen. In a MOVE it will also be removed, unless a link has led to the
// collection that contains it.
func weight(seen, linked bool, more int64) int64 {
	if linked {
		more = 0
	}
	if seen {
		more++
	}
	return more
}

// over reports whether the walker has listed the branch of of, which need not be
// counted any longer.
func (c *counter) over(of *walked) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return of.branch.listed
}

// passed says that some members of a collection have been counted. Branches are counted
// one after the other.
func (c *counter) passed(of *walked) error {
	if of.branch != c.current {
		c.publish(c.current)
		c.current = of.branch
	}
	if took := time.Since(c.begun); took >= countTurn {
		return c.rest(took)
	}
	return c.ctx.Err()
}

// rest ends a turn of the duration took and waits for the next one. It pauses as long
// as the turn took, and until no other count has its turn. On slow storage it does not
// wait, because there the turn needed hardly any processor time.
func (c *counter) rest(took time.Duration) error {
	defer func() { c.begun = time.Now() }()
	c.turn.release()
	if c.walking.isSlow() {
		return c.ctx.Err()
	}
	pause := time.NewTimer(took)
	defer pause.Stop()
	select {
	case <-pause.C:
		c.turn.acquire(c.ctx)
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// publish adds the numbers of b to the total. If the walker has listed b meanwhile, it
// does nothing: some of b may have been removed before it was counted.
func (c *counter) publish(b *branch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.listed || b.counted {
		return
	}
	b.counted = true
	if c.tally.current == b {
		c.inside = b
	}
	c.knowLocked(b, amount{b.members.Load(), b.bytes.Load()})
	c.openedLocked(-1)
}
