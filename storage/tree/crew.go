package tree

import (
	"context"
	"errors"
	"sync"
)

// maxQueued is how many batches wait for the workers of one operation: how far
// its walker runs ahead, and with what is in a batch the memory that it takes.
const maxQueued = 256

// A job is a batch of work. Its error ends the whole operation.
type job func(ctx context.Context, s *slot) error

// crew is the workers of one operation: the goroutine that walks the tree hands
// them batches. The first error of any ends the work of all.
type crew struct {
	ctx    context.Context //nolint:containedctx // lives as long as one call of Copy or Remove
	cancel context.CancelFunc
	queue  chan job
	slots  slots

	// Of the walker alone.
	workers int
	walker  pace

	wg     sync.WaitGroup
	isLong sync.Once
	busy   bool // it is a long one, and counted in processBusy
	once   sync.Once
	first  error
	// panicked is what a worker has panicked with: the storage is somebody
	// else's code. It belongs to the caller, who may recover from it.
	panicked any
}

func newCrew(ctx context.Context) *crew {
	c := &crew{queue: make(chan job, maxQueued), slots: processSlots}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.walker = pace{slot: slot{of: c.slots}, long: c.long}
	return c
}

// submit hands a job over, and waits while too many are queued. Its error says
// that there is no point in going on.
func (c *crew) submit(j job) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	// Small trees have fewer batches than there may be workers.
	if c.workers < c.slots.number {
		c.workers++
		c.wg.Go(c.work)
	}
	select {
	case c.queue <- j:
		return nil
	default:
	}
	c.walker.release()
	select {
	case c.queue <- j:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// work does jobs until there are no more, or one has failed.
func (c *crew) work() {
	p := pace{slot: slot{of: c.slots}, long: c.long}
	for j := range c.queue {
		p.next(c.ctx)
		err := c.ctx.Err()
		if err == nil {
			err = c.do(j, &p.slot)
		}
		p.release()
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// errPanicked ends the work after a panic.
var errPanicked = errors.New("panic in the storage")

func (c *crew) do(j job, s *slot) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errPanicked
			c.once.Do(func() {
				c.first, c.panicked = err, cause
				c.cancel()
			})
		}
	}()
	return j(c.ctx, s)
}

func (c *crew) fail(err error) {
	c.once.Do(func() {
		c.first = err
		c.cancel()
	})
}

// run walks, and returns the first error when all is done that walk has
// submitted. No worker is left then.
func (c *crew) run(walk func() error) error {
	// Not in the caller's goroutine, which is to keep its priority.
	var walker sync.WaitGroup
	walker.Go(func() {
		err := c.do(func(context.Context, *slot) error { return walk() }, nil)
		c.walker.release()
		if err != nil {
			c.fail(err)
		}
	})
	walker.Wait()
	close(c.queue)
	c.wg.Wait()
	c.cancel()
	if c.busy {
		processBusy.leave()
	}
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.first
}

// long takes note of that the operation is a long one.
func (c *crew) long() {
	c.isLong.Do(func() {
		c.busy = true
		processBusy.enter()
	})
}

// next is called by the walker before each collection.
func (c *crew) next() { c.walker.next(c.ctx) }
