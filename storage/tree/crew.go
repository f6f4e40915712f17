package tree

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// maxQueued is how many batches of one operation may wait for its workers. It limits
// how far the walker runs ahead and, with the size of a batch, how much memory that
// takes.
const maxQueued = 256

// A job is a batch of work. Its error ends the whole operation.
type job func(ctx context.Context, t *turn) error

// crew is the workers of one operation. The goroutine that walks the tree hands them
// batches. The first error, whoever reports it, ends the whole operation.
type crew struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call of Copy or Remove
	workers *errgroup.Group
	queue   chan job
	shared  *Workers
	client  string

	// Only the walker uses these.
	number int  // of workers
	walker pace // has a step for each collection

	busy atomic.Bool // the operation is long, and counted in shared
}

// newCrew returns the crew of an operation of e.
func (e *Engine) newCrew(ctx context.Context) *crew {
	c := &crew{queue: make(chan job, maxQueued), shared: e.Workers.ready(), client: e.Client}
	c.workers, c.ctx = errgroup.WithContext(ctx)
	c.walker = c.pace()
	return c
}

func (c *crew) pace() pace {
	return pace{turn: turn{of: &c.shared.work, client: c.client}, long: c.long}
}

// submit hands a job over, and waits while the queue is full. An error means that the
// operation has failed or its context has ended.
func (c *crew) submit(j job) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	// Workers start one by one, because small trees have fewer batches than the limit
	// of workers.
	if c.number < c.shared.work.limit {
		c.number++
		c.workers.Go(c.work)
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

// work does jobs until the queue is closed or a job fails.
func (c *crew) work() error {
	p := c.pace()
	defer p.release()
	for j := range c.queue {
		p.next(c.ctx)
		err := c.ctx.Err()
		if err == nil {
			err = caught(func() error { return j(c.ctx, &p.turn) })
		}
		if err != nil {
			return err
		}
		p.release()
	}
	return nil
}

// panicError is the value of a panic of foreign storage code. The caller may recover from
// it, so run panics with the same value.
type panicError struct{ value any }

func (e *panicError) Error() string { return "panic in the storage" }

// caught calls do, and returns a panic as a [*panicError].
func caught(do func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicError{cause}
		}
	}()
	return do()
}

// thrown returns err, or panics again if caught has made it.
func thrown(err error) error {
	if caught, ok := err.(*panicError); ok { //nolint:errorlint // nobody wraps it
		panic(caught.value)
	}
	return err
}

// run calls walk, waits for all jobs that walk submits, and returns the first error.
// All workers have ended when it returns.
func (c *crew) run(walk func() error) error {
	// walk gets its own goroutine, because a long walk lowers the priority of its
	// thread and the caller must keep its own.
	c.workers.Go(func() error {
		defer close(c.queue)
		defer c.walker.release()
		return caught(walk)
	})
	err := c.workers.Wait()
	if c.busy.Load() {
		c.shared.addLong(-1)
	}
	return thrown(err)
}

// long marks the operation as a long one.
func (c *crew) long() {
	if !c.busy.Swap(true) {
		c.shared.addLong(1)
	}
}

// standBackAfter is the number of steps after which an operation counts as long and
// gives way to requests. A short operation is not worth a thread of its own.
const standBackAfter = 2

// pace is for a goroutine that works in steps of some milliseconds. It gives way to
// others between two steps.
type pace struct {
	turn
	steps int
	long  func() // called when the operation becomes a long one
}

// next waits for a turn and begins a step. It lets goroutines that already wait go first.
func (p *pace) next(ctx context.Context) {
	if p.steps++; p.steps == standBackAfter {
		standBack()
		p.long()
	}
	p.release()
	p.acquire(ctx)
}
