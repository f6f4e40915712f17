package tree

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

// copier copies one tree.
type copier struct {
	*Engine
	ctx      context.Context //nolint:containedctx // lives as long as the call of Copy
	mon      *Monitor
	to       string // the name of the root of the copy
	more     int64  // how often each member will be seen again after it is copied
	links    bool   // links are copied as links
	failures failures
	crew     *crew
	rootErr  error // why the root can't be copied
}

// copy copies root to the name to, with everything below it. It returns only an error that
// ends the whole operation. All workers have ended when it returns.
func (c *copier) copy(root *collection, to string, depth int) error {
	c.to, c.crew = to, c.newCrew(c.ctx)
	if !root.info.IsDir() {
		return c.crew.run(func() error { return c.crew.submit(c.file(root)) })
	}
	return c.crew.run(func() error { return c.collection(root, depth) })
}

// file returns the job that copies a root that is a file.
func (c *copier) file(root *collection) job {
	return func(ctx context.Context, t *turn) error {
		c.mon.Begin(root.root)
		err := storage.CopyMember(ctx, c.FS, root.root, c.to, root.info, c.wrote(ctx, t))
		return c.done(root, root.root, err)
	}
}

// wrote returns a function that counts written bytes. In a large file it also yields
// the turn to waiting goroutines, as often as workers do between batches.
func (c *copier) wrote(ctx context.Context, t *turn) func(n int64) {
	written := int64(0)
	return func(n int64) {
		c.mon.Wrote(n)
		if written += n; written >= copyBatchBytes {
			written = 0
			t.yield(ctx)
		}
	}
}

// target returns the name of the copy of a collection.
func (c *copier) target(of *collection) string { return of.path(c.to) }

// done records the outcome of name, which is of itself or one of its members. It skips
// a member that vanished from the source after it was listed. It returns only an error
// that ends the whole operation.
func (c *copier) done(of *collection, name string, err error) error {
	if err != nil && fatal(err) {
		return err
	}
	if err == nil || c.vanished(name, err) {
		c.resolve(name, nil)
		return nil
	}
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) {
		err = &fs.PathError{Op: "copy", Path: name, Err: storage.ErrSourceChanged}
	}
	if name == of.root {
		c.rootErr = err
	}
	c.failures.add(name, err)
	c.resolve(name, err)
	return nil
}

// resolve tells the Monitor that name is copied or has failed. A member that will be
// seen again has no outcome yet, unless it has failed.
func (c *copier) resolve(name string, err error) {
	if err == nil && c.more > 0 {
		c.mon.Advance()
		return
	}
	c.mon.Resolve(name, err)
}

func (c *copier) vanished(name string, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, statErr := storage.Lstat(c.ctx, c.FS, name)
	return errors.Is(statErr, fs.ErrNotExist)
}

// see is the view of a COPY or MOVE. An entry counts if it will be copied. A MOVE will
// also remove it, unless a link has led to its collection.
func (c *copier) see(ctx context.Context, name string, entry fs.FileInfo, linked bool) (fs.FileInfo, amount, error) {
	info, err := member(ctx, c.FS, name, entry, c.links)
	more := amount{bytes: size(info)}
	if !linked {
		more.members = c.more
	}
	if info != nil || err != nil {
		more.members++
	}
	return info, more, err
}

// size returns the length of a regular file; 0 for anything else and for nil.
func size(info fs.FileInfo) int64 {
	if info == nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
