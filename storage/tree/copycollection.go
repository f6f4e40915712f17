package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// The size of a batch, the part of a collection that one worker copies at a time. A
// batch is large enough to hold most collections, because two workers that create files
// in one collection wait for each other in the kernel. It is small enough to give every
// worker something to do, and to end a turn within milliseconds.
const (
	copyBatchFiles = 128
	copyBatchBytes = 4 << 20
)

// collection copies a collection and, unless depth is 0, its members. It creates the
// collections itself, in order, and lets the crew copy the files.
func (c *copier) collection(of *collection, depth int) error {
	c.mon.Begin(of.name())
	of.add()
	c.crew.walker.next(c.crew.ctx)
	var collections []*collection
	var err error
	if depth == 0 {
		c.make(of)
	} else if collections, err = c.members(of); err != nil {
		return err
	}
	of.branch.list(collections)
	for i, below := range collections {
		collections[i] = nil // frees the memory of what is already walked
		if err := c.crew.ctx.Err(); err != nil {
			return err
		}
		if err := c.collection(below, Infinite); err != nil {
			return err
		}
	}
	of.branch.leave(of)
	return of.leave(c.finish)
}

// make creates the copy of a collection. The members follow.
func (c *copier) make(of *collection) {
	// The server must be able to write into the collection that it has just made.
	of.err = c.FS.Mkdir(c.crew.ctx, c.target(of), of.info.Mode().Perm()|0o700)
	of.made = of.err == nil
}

// finish gives the copy of a collection its properties: any member that is added later
// would change the modification time.
func (c *copier) finish(of *collection) error {
	ctx, err := c.crew.ctx, of.err
	switch {
	case err == nil:
		err = storage.CopyProperties(ctx, c.FS, of.name(), c.FS, c.target(of), of.info.ModTime())
	case of.made:
		// A collection that is reported as failed must have no members in the copy (RFC
		// 4918 §9.8.3). Those that exist are all files, because no collection in it was
		// entered.
		err = errors.Join(err, c.FS.RemoveAll(context.WithoutCancel(ctx), c.target(of)))
	}
	return c.done(of, of.name(), err)
}

// members lists a collection. It hands the files to the crew as it finds them, and
// returns the collections.
func (c *copier) members(of *collection) ([]*collection, error) {
	list := &listing{copier: c, of: of, name: of.name()}
	for entry, err := range storage.ReadDir(c.crew.ctx, c.FS, list.name) {
		if err == nil && !of.made {
			c.make(of)
			err = of.err
		}
		if ended := c.crew.ctx.Err(); err != nil && ended != nil {
			return nil, ended // err says nothing about the collection itself.
		}
		if err != nil {
			list.broken(err)
			return nil, nil
		}
		if err := list.add(entry); err != nil {
			return nil, err
		}
	}
	if !of.made {
		c.make(of)
	}
	return list.collections, list.flush()
}

// listing holds the members of a collection that were listed but not yet handed over.
type listing struct {
	*copier
	of          *collection
	name        string // the name of of
	collections []*collection
	files       []fs.FileInfo // with the links that will be copied as links
	bytes       int64
}

// add takes one entry. It returns only an error that ends the whole operation.
func (l *listing) add(entry fs.FileInfo) error {
	name := below(l.name, entry.Name())
	info, more, err := l.see(l.crew.ctx, name, entry, l.of.linked)
	l.of.branch.find(more)
	switch {
	case err != nil:
		return l.done(l.of, name, err)
	case info == nil:
		return nil
	case info.IsDir() && l.of.loops(info):
		return l.done(l.of, name, &fs.PathError{Op: "copy", Path: name, Err: storage.ErrLoop})
	case info.IsDir():
		l.of.add()
		l.collections = append(l.collections, l.of.member(entry, info))
		return nil
	case info.Name() != entry.Name():
		info = storage.Named(info, entry.Name())
	}
	return l.file(info)
}

// file adds a file to the next batch. A large file becomes a batch of its own.
func (l *listing) file(info fs.FileInfo) error {
	if len(l.files) == copyBatchFiles || len(l.files) > 0 && l.bytes+info.Size() > copyBatchBytes {
		if err := l.flush(); err != nil {
			return err
		}
	}
	l.files = append(l.files, info)
	l.bytes += info.Size()
	return nil
}

// flush hands the batch of files to the crew.
func (l *listing) flush() error {
	if len(l.files) == 0 {
		return nil
	}
	files := l.files
	l.files, l.bytes = nil, 0
	l.of.add()
	return l.crew.submit(l.batch(l.of, files))
}

// broken records that the collection could not be listed completely and will not be
// copied.
func (l *listing) broken(err error) {
	l.of.err = err
	for range len(l.files) + len(l.collections) {
		l.mon.Advance()
	}
	l.of.pending.Add(-int64(len(l.collections)))
}

// batch returns the job that copies files of a collection.
func (c *copier) batch(of *collection, files []fs.FileInfo) job {
	return func(ctx context.Context, t *turn) error {
		source := of.name()
		c.mon.Begin(below(source, files[0].Name()))
		copying := storage.Copying{From: source, To: c.target(of), Members: files, Wrote: c.wrote(ctx, t)}
		for name, err := range storage.CopyMembers(ctx, c.FS, copying) {
			if err := c.done(of, below(source, name), err); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return of.leave(c.finish)
	}
}
