package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Some storages copy and remove whole trees by themselves. The functions below use that. If the
// members have to be handled one by one, the error is errors.ErrUnsupported, and nothing has changed.

// copyWhole copies the source, which info describes, to stage. The Monitor gets the numbers of the
// members, but an outcome only for the source itself.
func (op *operation) copyWhole(c *copier, info fs.FileInfo, stage string, depth int) error {
	if c.more > 0 {
		return errors.ErrUnsupported // A MOVE compares each member that it removes with its copy.
	}
	src := op.entry.Source
	w := &wholeCopy{op: op, c: c, info: info}
	err := storage.CopyTree(c.ctx, op.FS, storage.TreeCopying{From: src, To: stage, ZeroDepth: depth == 0, Copied: w.add})
	if err != nil {
		return err
	}
	w.begin()
	op.count.source.gone()
	op.mon.Resolve(src, nil)
	return nil
}

// wholeCopy tells the Monitor about the tree that the storage is copying.
type wholeCopy struct {
	op    *operation
	c     *copier
	info  fs.FileInfo // of the source
	begun bool
}

// begin counts the source itself. It returns 1 if it was not counted before.
func (w *wholeCopy) begin() int64 {
	if w.begun {
		return 0
	}
	w.begun = true
	src := w.op.entry.Source
	w.op.mon.Begin(src)
	w.op.count.source.view = w.c.see
	w.op.count.source.begin(newRoot(src, w.info), amount{members: 1, bytes: size(w.info)})
	return 1
}

// add counts members that were copied. The first one is the source itself, which is resolved last.
func (w *wholeCopy) add(members, bytes int64) error {
	first := w.begin()
	w.op.count.source.find(amount{members: members - first, bytes: bytes - first*size(w.info)})
	w.op.mon.advanceBy(members-first, bytes)
	return w.c.ctx.Err()
}

// removeWhole removes the tree at name, which the request names, in one step. The Monitor gets an
// outcome for the tree.
func (e *Engine) removeWhole(ctx context.Context, name string, mon *Monitor) error {
	err := storage.RemoveTree(ctx, e.FS, name)
	if err == nil {
		mon.Found(1, 0)
		mon.Resolve(name, nil)
	}
	return err
}
