package tree

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"

	"github.com/davd/davd/storage"
)

// How much of a collection one worker copies at a time: so much that most
// collections are one batch, because two workers that make files in one
// collection wait for each other in the kernel; so little that all workers have
// some, and that a slot becomes free after milliseconds.
const (
	copyBatchFiles = 128
	copyBatchBytes = 4 << 20
)

// copied is a resource of the source and its copy. A collection is done when
// the walker has left it and all that it holds is done.
type copied struct {
	*lineage // in the source
	chain
	origin *origin
	parent *copied
	branch *branch // nil without a tally, or where the tally does not need it
	linked bool    // a symbolic link has led to it

	pending atomic.Int64 // the walker, batches and collections that are not done
	made    bool         // target exists
	err     error        // why it is not to be copied after all
}

// origin is the name of the root of a copy, and that of its copy.
type origin struct{ name, target string }

func (of *copied) name() string   { return of.path(of.origin.name) }
func (of *copied) target() string { return of.path(of.origin.target) }

// add is a collection that of holds, or a batch of its files.
func (of *copied) add() { of.pending.Add(1) }

// collection copies a collection and, unless depth is 0, its members: itself
// what is to be done in order, the files by the crew.
func (c *copier) collection(of *copied, depth int) error {
	c.mon.Begin(of.name())
	of.add()
	c.crew.next()
	c.tally.enter(of.branch)
	var collections []*copied
	var err error
	if depth == 0 {
		c.make(of)
	} else if collections, err = c.members(of); err != nil {
		return err
	}
	c.tally.listed(branches(collections))
	for i, below := range collections {
		collections[i] = nil // Wide trees are not to be held as a whole.
		if err := c.crew.ctx.Err(); err != nil {
			return err
		}
		if err := c.collection(below, Infinite); err != nil {
			return err
		}
	}
	c.tally.leave(of.branch)
	return c.leave(c.crew.ctx, of)
}

// branches returns those of collections.
func branches(collections []*copied) []*branch {
	var of []*branch
	for _, below := range collections {
		if below.branch != nil {
			of = append(of, below.branch)
		}
	}
	return of
}

// make makes the copy of a collection before its first member.
func (c *copier) make(of *copied) {
	// The server must be able to write into what it has just made.
	of.err = c.fsys.Mkdir(c.crew.ctx, of.target(), of.info.Mode().Perm()|0o700)
	of.made = of.err == nil
}

// leave tells a collection that something in it is done, or the walker gone.
// Whoever is the last to leave gives it its properties: members that are added
// afterwards would change its modification time.
func (c *copier) leave(ctx context.Context, of *copied) error {
	for ; of != nil && of.pending.Add(-1) == 0; of = of.parent {
		err := of.err
		switch {
		case err == nil:
			err = c.properties(ctx, of)
		case of.made:
			// Its members must not be there when it is named as failed (RFC
			// 4918 §9.8.3). They are files, no collection has been entered.
			r := &remover{ctx: context.WithoutCancel(ctx), fsys: c.fsys, alone: true}
			err = errors.Join(err, r.tree(of.target(), nil), r.failures.first())
		}
		if err := c.done(of, of.name(), err); err != nil {
			return err
		}
	}
	return nil
}

// members hands the files of a collection to the crew while it lists them, and
// returns the collections in it.
func (c *copier) members(of *copied) ([]*copied, error) {
	list := &listing{copier: c, of: of, name: of.name()}
	for entry, err := range storage.ReadDir(c.crew.ctx, c.fsys, list.name) {
		if err == nil && !of.made {
			c.make(of)
			err = of.err
		}
		if ended := c.crew.ctx.Err(); err != nil && ended != nil {
			return nil, ended // Nothing is known of the collection itself.
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
		if c.make(of); of.err != nil {
			return nil, nil
		}
	}
	if err := list.flush(); err != nil {
		return nil, err
	}
	return list.collections, list.flushLinks()
}

// listing is what has been read of a collection and is not yet handed over.
type listing struct {
	*copier
	of          *copied
	name        string // of's
	collections []*copied
	files       []fs.FileInfo
	bytes       int64
	links       []string // the names of those that are copied as links
}

// add takes one entry. Its error ends the whole.
func (l *listing) add(entry fs.FileInfo) error {
	name := below(l.name, entry.Name())
	info, err := member(l.crew.ctx, l.fsys, name, entry, l.copier.links)
	seen := info != nil || err != nil
	l.tally.found(weight(seen, l.of.linked, l.more), size(info))
	switch {
	case !seen:
		return nil
	case err != nil:
		return l.done(l.of, name, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return l.link(entry.Name())
	case info.IsDir() && l.of.loops(info):
		return l.done(l.of, name, &fs.PathError{Op: "copy", Path: name, Err: ErrLoop})
	case info.IsDir():
		l.of.add()
		l.collections = append(l.collections, l.collection(entry, info))
		return nil
	case info.Name() != entry.Name():
		info = storage.Named(info, entry.Name())
	}
	return l.file(info)
}

// collection is the collection entry in the one that is listed, which info describes.
func (l *listing) collection(entry, info fs.FileInfo) *copied {
	below := &copied{
		origin: l.of.origin, chain: chain{above: &l.of.chain, base: entry.Name()}, parent: l.of,
		lineage: &lineage{info: info, parent: l.of.lineage},
		linked:  l.of.linked || entry.Mode()&fs.ModeSymlink != 0,
	}
	below.branch = l.tally.branch(&below.chain, l.of.origin.name, below.lineage, below.linked)
	return below
}

// file takes a file. A large one is a batch of its own.
func (l *listing) file(info fs.FileInfo) error {
	if len(l.files) > 0 && l.bytes+info.Size() > copyBatchBytes {
		if err := l.flush(); err != nil {
			return err
		}
	}
	l.files = append(l.files, info)
	l.bytes += info.Size()
	if len(l.files) == copyBatchFiles {
		return l.flush()
	}
	return nil
}

// flush hands over the files that have been read.
func (l *listing) flush() error {
	if len(l.files) == 0 {
		return nil
	}
	files := l.files
	l.files, l.bytes = nil, 0
	l.of.add()
	return l.crew.submit(l.batch(l.of, files))
}

// broken says that the rest of the collection can't be read, so that it is not
// to be copied at all.
func (l *listing) broken(err error) {
	l.of.err = err
	for range len(l.files) + len(l.links) + len(l.collections) {
		l.mon.Advance()
	}
	l.of.pending.Add(-int64(len(l.collections)))
}

// batch copies files of a collection.
func (c *copier) batch(of *copied, files []fs.FileInfo) job {
	return func(ctx context.Context, s *slot) error {
		source := of.name()
		c.mon.Begin(below(source, files[0].Name()))
		for name, err := range storage.CopyMembers(ctx, c.fsys, source, of.target(), files, c.wrote(ctx, s)) {
			if err := c.done(of, below(source, name), err); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return c.leave(ctx, of)
	}
}
