package objectfs

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/davd/davd/storage/objectfs/names"
)

const (
	// defaultGrace is how long an object stays after the last name that referred to it.
	defaultGrace = 24 * time.Hour
	// defaultPause is the time between two rounds of the collector, and searchPause that between
	// two searches through all objects.
	defaultPause = time.Minute
	searchPause  = 24 * time.Hour
	// doubtAge is how old an object in doubt is when the database is asked. Transactions are much
	// shorter.
	doubtAge = 10 * time.Minute
	// collectChunk is how many objects or rows a statement or a request is about. After each chunk
	// of a search, the collector waits for chunkPause, so that it never slows down requests.
	collectChunk = 1000
	chunkPause   = 100 * time.Millisecond
)

// Collector removes the rows and objects that nothing refers to any more. Each process runs one, but
// only one of them at a time searches for what others have left.
type Collector struct {
	FS    *FS
	Names names.Collecting
	// Grace is how long an object stays after the last name that referred to it: longer than the age
	// of the oldest backup of the database that the operator may restore. 0 means 24 hours, and a
	// negative time none at all.
	Grace time.Duration
	// Collected, if not nil, is called with what each round of Run has removed, even if it has failed.
	Collected func(Collected)
	// Log gets the errors; nil means slog.Default().
	Log *slog.Logger

	searched time.Time // the start of the last search
	// now is for tests; nil means time.Now.
	now func() time.Time
}

// Collected counts what a collector has removed.
type Collected struct {
	// Rows are those of removed files and collections.
	Rows int
	// Objects had lost their last name, or belonged to an upload of this process that failed.
	Objects int
	// Orphans are objects that no row has known, of processes that are gone. Foreign is how many
	// more stay because they belong to another name space, which can be rebuilt from them.
	Orphans, Foreign int
	// Unfinished are objects that were never complete.
	Unfinished int
}

// Run collects until ctx ends.
func (c *Collector) Run(ctx context.Context) {
	c.searched = time.Now().Add(doubtAge - searchPause) // The first search is not at the start.
	for pause(ctx, defaultPause) {
		search := time.Since(c.searched) >= searchPause
		if search {
			c.searched = time.Now()
		}
		done, err := c.Collect(ctx, search)
		if c.Collected != nil {
			c.Collected(done)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.log().Warn("removing what no file needs any more has failed; it goes on later", "error", err)
		case done != Collected{}:
			c.log().Info("removed what no file needs any more", "rows", done.Rows, "objects", done.Objects, "orphans", done.Orphans, "unfinished", done.Unfinished)
		}
		if done.Foreign > 0 {
			c.log().Warn("the storage has objects of another name space: davd storage rebuild makes files of them", "objects", done.Foreign)
		}
	}
}

func (c *Collector) log() *slog.Logger {
	if c.Log != nil {
		return c.Log
	}
	return slog.Default()
}

// pause reports whether ctx has not ended after d.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Collect makes one round. With search, it also goes through all objects, to find those that no row
// knows.
func (c *Collector) Collect(ctx context.Context, search bool) (done Collected, err error) {
	if err := c.clearDoubts(ctx, &done); err != nil {
		return done, err
	}
	leads, err := c.Names.Lead(ctx)
	if err != nil || !leads {
		return done, err
	}
	for _, step := range []func(context.Context, *Collected) error{c.sweep, c.removeLoose} {
		if err := step(ctx, &done); err != nil {
			return done, err
		}
	}
	if !search {
		return done, nil
	}
	if err := c.removeOrphans(ctx, &done); err != nil {
		return done, err
	}
	live := func(key string) bool {
		orphans, err := c.Names.Orphans(ctx, []string{key})
		return err != nil || len(orphans) == 0
	}
	done.Unfinished, err = c.FS.options.Blobs.RemoveUnfinished(ctx, c.before(), live)
	return done, err
}

// before returns the time before which something must have lost its name.
func (c *Collector) before() time.Time {
	switch {
	case c.Grace == 0:
		return c.time().Add(-defaultGrace)
	case c.Grace < 0:
		return c.time().Add(time.Second) // whatever the precision of times is
	}
	return c.time().Add(-c.Grace)
}

func (c *Collector) time() time.Time {
	if c.now != nil {
		return c.now()
	}
	return time.Now()
}

// clearDoubts removes the objects of this process that have no row.
func (c *Collector) clearDoubts(ctx context.Context, done *Collected) error {
	before := c.time().Add(-doubtAge)
	if c.Grace < 0 {
		before = c.before()
	}
	for {
		keys := c.FS.doubts.take(before, collectChunk)
		if len(keys) == 0 {
			return nil
		}
		doomed, err := c.Names.Disown(ctx, keys)
		if err == nil {
			err = c.remove(ctx, doomed)
		}
		if err != nil {
			for _, key := range keys {
				c.FS.doubts.add(key)
			}
			return err
		}
		done.Objects += len(doomed)
	}
}

// remove removes doomed objects.
func (c *Collector) remove(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if err := c.FS.options.Blobs.Remove(ctx, keys); err != nil {
		return err
	}
	return c.Names.Removed(ctx, keys)
}

// sweep removes the rows of trees that were detached.
func (c *Collector) sweep(ctx context.Context, done *Collected) error {
	for {
		n, err := c.Names.Sweep(ctx, collectChunk)
		done.Rows += n
		if err != nil || n == 0 {
			return err
		}
	}
}

// removeLoose removes the objects that have lost their last name.
func (c *Collector) removeLoose(ctx context.Context, done *Collected) error {
	for {
		keys, err := c.Names.Loose(ctx, c.before(), collectChunk)
		if err == nil {
			err = c.remove(ctx, keys)
		}
		if err != nil {
			return err
		}
		done.Objects += len(keys)
		if len(keys) < collectChunk {
			return nil
		}
	}
}

// removeOrphans removes the objects that no row knows and no process will put.
func (c *Collector) removeOrphans(ctx context.Context, done *Collected) error {
	var keys []string
	before := c.before()
	for object, err := range c.FS.options.Blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		// By its epoch, the object is garbage already. But a database that was restored from a
		// backup doesn't know the objects that are newer.
		if object.Modified.Before(before) {
			keys = append(keys, object.Key)
		}
		if len(keys) == collectChunk {
			if err := c.removeOrphansOf(ctx, keys, done); err != nil {
				return err
			}
			keys = keys[:0]
			if !pause(ctx, chunkPause) {
				return ctx.Err()
			}
		}
	}
	return c.removeOrphansOf(ctx, keys, done)
}

// removeOrphansOf removes the orphans among keys.
func (c *Collector) removeOrphansOf(ctx context.Context, keys []string, done *Collected) error {
	if len(keys) == 0 {
		return nil
	}
	orphans, err := c.Names.Orphans(ctx, keys)
	if err != nil {
		return err
	}
	own, err := c.own(ctx, orphans)
	if err != nil || len(own) == 0 {
		done.Foreign += len(orphans)
		return err
	}
	done.Foreign += len(orphans) - len(own)
	if err := c.FS.options.Blobs.Remove(ctx, own); err != nil {
		return err
	}
	done.Orphans += len(own)
	return nil
}

// own returns those of the objects that were written for this name space. If the database was lost
// and replaced by an empty one, all objects are of another name space, and must stay.
func (c *Collector) own(ctx context.Context, keys []string) ([]string, error) {
	own := slices.Clone(keys)[:0]
	for _, key := range keys {
		object, err := c.FS.options.Blobs.Stat(ctx, key)
		switch {
		case isMissing(err):
		case err != nil:
			return nil, err
		case object.Meta.Volume == c.FS.options.Names.Volume():
			own = append(own, key)
		}
	}
	return own, nil
}
