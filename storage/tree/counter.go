package tree

import (
	"context"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/davd/davd/storage"
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

	members, bytes int64
	begun          time.Time // after the last rest
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
	c.begun = time.Now()
	if err := c.add(ctx, c.root.info); err != nil {
		return
	}
	_ = c.collection(ctx, c.root.name, c.root.lineage)
	c.mon.expect(c.members*(1+c.more), c.bytes)
}

// collection counts the members of the collection name, and theirs.
func (c *counter) collection(ctx context.Context, name string, of *lineage) error {
	var names []string
	var collections []*lineage
	for entry, err := range storage.ReadDir(ctx, c.fsys, name) {
		if err != nil {
			return ctx.Err() // It is not copied at all.
		}
		at := path.Join(name, entry.Name())
		info, err := member(ctx, c.fsys, at, entry, c.links)
		if info == nil && err == nil {
			continue
		}
		if err := c.add(ctx, info); err != nil {
			return err
		}
		if err == nil && info.IsDir() && !of.loops(info) {
			names, collections = append(names, at), append(collections, &lineage{info: info, parent: of})
		}
	}
	for i, below := range collections {
		if err := c.collection(ctx, names[i], below); err != nil {
			return err
		}
	}
	return nil
}

// add counts one more. info is nil where it can't be described.
func (c *counter) add(ctx context.Context, info fs.FileInfo) error {
	c.members++
	c.bytes += size(info)
	if c.members%countStep > 0 {
		return ctx.Err()
	}
	c.mon.expect(c.members*(1+c.more), c.bytes)
	return c.rest(ctx)
}

// rest waits as long as it took since the last rest.
func (c *counter) rest(ctx context.Context) error {
	pause := time.NewTimer(time.Since(c.begun))
	defer pause.Stop()
	select {
	case <-pause.C:
		c.begun = time.Now()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
