package tree

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

// Copy makes dst a copy of src: of all that is below it with the depth
// [Infinite], of the collection alone with depth 0. What was at dst is
// replaced, not merged (RFC 4918 §9.8.4), once the copy is complete.
//
// A member that can't be copied is named in a [*PartialError], what is below
// it is not; the rest is in place. A [*LeftoverError] says that all is in
// place. With any other error dst is as it was.
func Copy(ctx context.Context, fsys storage.FS, src, dst string, depth int, mon *Monitor) error {
	return Engine{FS: fsys}.Copy(ctx, src, dst, depth, mon)
}

type copier struct {
	ctx      context.Context //nolint:containedctx // lives as long as the call of Copy
	fsys     storage.FS
	mon      *Monitor
	tally    *tally
	more     int64 // how often a member will be seen again once it is copied
	links    bool  // links are copied as links
	failures failures
	crew     *crew
	rootErr  error // why what is to be copied can't be
	// transaction is the one that stage belongs to; nil without a stage.
	transaction *transaction
}

// stage copies src to a reserved name beside dst, which it returns. After an
// error there is nothing under that name. linked: src is a symbolic link.
func (c *copier) stage(src, dst string, depth int, linked bool) (string, error) {
	info, err := c.fsys.Stat(c.ctx, src)
	if err != nil {
		return "", err
	}
	stage, err := c.transaction.stage(c.ctx, dst)
	if err != nil {
		return "", err
	}
	c.mon.Found(1+c.more, size(info))
	var parent *lineage
	if depth != 0 {
		parent = above(c.ctx, c.fsys, src, info)
	}
	root := c.tally.branch(&chain{}, src, &lineage{info: info, parent: parent}, linked)
	c.tally.source(c, root, dst)
	err = c.copy(src, stage, info, depth, parent, root)
	if err == nil {
		// A root that failed is not a part of something that succeeded.
		err = c.rootErr
	}
	if err == nil {
		// Nor is one that has vanished, its members being skipped.
		_, err = c.fsys.Stat(c.ctx, src)
	}
	if err != nil {
		return "", errors.Join(err, c.discard(stage))
	}
	return stage, nil
}

// discard removes a stage that will not be used, even after ctx has ended.
func (c *copier) discard(stage string) error {
	return c.transaction.discard(context.WithoutCancel(c.ctx), stage)
}

// copy copies name, and what is below it, to target. Its error is one that
// ends the whole. No worker is left when it returns.
func (c *copier) copy(name, target string, info fs.FileInfo, depth int, parent *lineage, b *branch) error {
	c.crew = newCrew(c.ctx)
	root := &copied{origin: &origin{name: name, target: target}, lineage: &lineage{info: info, parent: parent}, branch: b, linked: b != nil && b.linked}
	if !info.IsDir() {
		c.tally.leave(b)
		return c.crew.run(func() error { return c.crew.submit(c.file(root)) })
	}
	return c.crew.run(func() error { return c.collection(root, depth) })
}

// file copies the root of a copy that is a file.
func (c *copier) file(root *copied) job {
	return func(ctx context.Context, s *slot) error {
		c.mon.Begin(root.name())
		err := storage.CopyFile(ctx, c.fsys, root.name(), root.target(), root.info.Mode().Perm(), c.wrote(ctx, s))
		if err == nil {
			err = c.properties(ctx, root)
		}
		return c.done(root, root.name(), err)
	}
}

// wrote counts what is written, and gives way to others within a large file as
// often as between batches.
func (c *copier) wrote(ctx context.Context, s *slot) func(n int64) {
	written := int64(0)
	return func(n int64) {
		c.mon.Wrote(n)
		if written += n; written >= copyBatchBytes {
			written = 0
			s.yield(ctx)
		}
	}
}

// properties gives the copy what the source has beside its content and its
// members.
func (c *copier) properties(ctx context.Context, of *copied) error {
	return storage.CopyProperties(ctx, c.fsys, of.name(), of.target(), of.info.ModTime())
}

// done resolves name: of itself, or a member of it. A member of the source that
// has vanished since it was listed is skipped; an error that ends the whole is
// returned.
func (c *copier) done(of *copied, name string, err error) error {
	if err != nil && fatal(err) {
		return err
	}
	if err == nil || c.vanished(name, err) {
		c.resolve(name, nil)
		return nil
	}
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) {
		err = &fs.PathError{Op: "copy", Path: name, Err: ErrChanged}
	}
	if of.parent == nil && name == of.name() {
		c.rootErr = err
	}
	c.failures.add(name, err)
	c.resolve(name, err)
	return nil
}

// resolve reports that nothing more will be done about name now. One that will
// be seen again has no outcome yet, unless it has failed.
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
	_, statErr := storage.Lstat(c.ctx, c.fsys, name)
	return errors.Is(statErr, fs.ErrNotExist)
}

// size is the content length of a file, 0 for what has none and for nil.
func size(info fs.FileInfo) int64 {
	if info == nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
