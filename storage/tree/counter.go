package tree

import (
	"context"
	"io/fs"
	"sync"
	"time"
)

// countStep is how many members a counter counts before it looks at the clock.
const countStep = 256

// A counter tells the Monitor of a copy how much there is, ahead of a walker
// that has to wait for its workers. Most trees never need one: the walker has
// seen all of a tree of ten thousand files before the first hundreds are
// copied. It costs a second walk, a fifteenth of the work of the copy, so it
// counts only for a Monitor that somebody has looked at, in one goroutine, half
// of the time at most.
type counter struct {
	*copier
	root   *copied
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// start starts the count, unless it has been or nobody would see it. It is
// called by the walker alone.
func (c *counter) start() {
	if c.cancel != nil || !c.mon.watched() {
		return
	}
	ctx, cancel := context.WithCancel(c.crew.ctx)
	c.cancel = cancel
	c.wg.Go(func() { c.count(ctx) })
}

// stop waits for the count to end.
func (c *counter) stop() {
	if c.cancel != nil {
		c.cancel()
	}
	c.wg.Wait()
}

// count follows the rules of the copy: what it counts that is not there any
// more when the walker comes would never be done.
func (c *counter) count(ctx context.Context) {
	// What goes wrong, a panic of the storage even, will be told by the copy.
	defer func() { _ = recover() }()
	members, bytes := int64(0), int64(0)
	begun := time.Now()
	w := &walker{ctx: ctx, fsys: c.fsys, visit: func(_ string, info fs.FileInfo, _ error) error {
		members++
		bytes += size(info)
		if members%countStep > 0 {
			return nil
		}
		c.mon.expect(members*(1+c.more), bytes)
		return c.rest(ctx, &begun)
	}}
	_ = w.resource(c.root.name, c.root.info, Infinite, c.root.lineage.parent)
	c.mon.expect(members*(1+c.more), bytes)
}

// rest waits as long as it took from begun until now.
func (c *counter) rest(ctx context.Context, begun *time.Time) error {
	pause := time.NewTimer(time.Since(*begun))
	defer pause.Stop()
	select {
	case <-pause.C:
		*begun = time.Now()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
