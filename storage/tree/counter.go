package tree

import (
	"context"
	"io/fs"
	"time"

	"github.com/davd/davd/storage"
)

// countHelpers is how many calls of slow storage all counts of this process have
// under way, beside one each of their own. Quick storage is counted by one goroutine
// of the process at a time, half of the time at most: it is the processors that would
// be missed there.
var (
	countHelpers = newSlots(16)
	countTurns   = newSlots(1)
)

// countTurn is how long that goroutine counts before it rests.
const countTurn = 2 * time.Millisecond

// A counter counts branches of a tally, by the rules of the operation: what is
// counted that is not there any more when the walker comes is skipped.
type counter struct {
	*tally
	ctx     context.Context //nolint:containedctx // lives as long as the count
	walking *walking
	current *branch // of which members are delivered
	begun   time.Time
	turn    slot // of countTurns
}

// start counts until the total is final. It is called by the timer.
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
	// What goes wrong, a panic of the storage even, will be told by the operation.
	defer func() { _ = recover() }()
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.changed.Broadcast()
	})()
	standBack()
	c := &counter{tally: t, ctx: ctx, turn: slot{of: countTurns}}
	for branches := c.claim(); branches != nil; branches = c.claim() {
		if err := c.count(branches); err != nil {
			return
		}
	}
}

// claim waits for branches to be counted; nil when there will be none. Those that
// the walker will come to last are the first.
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
	w := &Walk{FS: c.fsys, Prepare: func(context.Context, []Member) func() error { return nil }}
	c.walking = newWalking(w, roots...)
	c.walking.counter = c
	c.current, c.begun = roots[0].branch, time.Now()
	if err := c.walking.run(c.ctx); err != nil {
		return err
	}
	c.publish(c.current)
	return nil
}

// describe reports whether b is a collection. What is to be removed may be anything,
// or not be there.
func (c *counter) describe(b *branch) bool {
	if b.lineage == nil {
		info, err := storage.Lstat(c.ctx, c.fsys, b.name())
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

// see is what is seen of an entry of a collection that is counted.
func (c *counter) see(of *walked, name string, entry fs.FileInfo) (fs.FileInfo, error) {
	if of.branch.removes {
		of.branch.members.Add(1)
		return entry, nil
	}
	info, err := member(c.ctx, c.fsys, name, entry, c.links)
	of.branch.members.Add(weight(info != nil || err != nil, of.linked, c.more))
	of.branch.bytes.Add(size(info))
	return info, err
}

// weight is for how many an entry of the source counts: it is copied if it is seen,
// and it will be removed, unless a link has led to the collection that holds it.
func weight(seen, linked bool, more int64) int64 {
	if linked {
		more = 0
	}
	if seen {
		more++
	}
	return more
}

// over reports whether of need not be counted any more.
func (c *counter) over(of *walked) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return of.branch.listed
}

// passed says that some members of a collection have been counted. The branches
// come one after the other.
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

// rest ends a turn that took so long, and waits for another: for as long, and until
// no other count has its own; but not where the time was the storage's.
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

// publish tells what b has, unless the walker was quicker: then some of it may have
// been removed before it was counted.
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
