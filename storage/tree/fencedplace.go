package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// placing records that the tree that info describes may appear at the destination. It returns the
// description of what is there now, or nil.
func (p *placement) placing(ctx context.Context, info fs.FileInfo) (old fs.FileInfo, err error) {
	old, err = p.identify(ctx, info)
	if err == nil {
		err = p.advance(ctx, Placing)
	}
	return old, err
}

// identify notes the identities of the tree that will be placed, which info describes, and of what
// is at the destination.
func (p *placement) identify(ctx context.Context, info fs.FileInfo) (old fs.FileInfo, err error) {
	old, err = p.look(ctx, p.entry.Destination)
	if err != nil {
		return nil, err
	}
	p.entry.Fresh, p.entry.Old = mark(info), mark(old)
	if p.entry.Fresh == "" {
		return nil, &fs.PathError{Op: "rename", Path: p.entry.Destination, Err: errUnidentified}
	}
	return old, nil
}

// replace is the commit with a [Fence]. It gives the tree from, which info describes, the name of
// the destination, where old is now. It returns the name that old has afterwards; "" if there was
// none. If it fails, the names have to be looked at.
func (p *placement) replace(ctx context.Context, from string, info, old fs.FileInfo) (displaced string, err error) {
	dst := p.entry.Destination
	switch {
	case old == nil || !old.IsDir() && !info.IsDir() && !storage.SameFile(old, info):
		return "", p.FS.Rename(ctx, from, dst)
	case storage.SameFile(old, info):
		return "", storage.Remove(ctx, p.FS, from) // Both are hard links to one file.
	}
	if p.entry.Old != "" {
		if err := storage.Exchange(ctx, p.FS, from, dst); !immovable(err) {
			return from, err
		}
	}
	return p.replaceByGate(ctx, from)
}

// replaceByGate is replace for a storage that can't exchange two names.
func (p *placement) replaceByGate(ctx context.Context, from string) (displaced string, err error) {
	dst := p.entry.Destination
	displaced = p.beside(dst)
	p.entry.Aside = append(p.entry.Aside, displaced)
	if p.entry.Gate == "" {
		err = p.openGate(ctx, dst)
	} else {
		err = p.advance(ctx, Placing)
	}
	if err == nil {
		err = p.FS.Rename(ctx, dst, p.entry.Gate+gateDestination)
	}
	if err == nil {
		err = p.FS.Rename(ctx, from, dst)
	}
	if err == nil {
		err = p.FS.Rename(ctx, p.entry.Gate+gateDestination, displaced)
	}
	return displaced, err
}

// copyFenced is the second half of Copy with a [Fence], after the copy named stage is complete.
func (op *operation) copyFenced(ctx context.Context, c *copier, stage string) error {
	displaced, finished, err := op.placeFenced(ctx, stage)
	if err == nil && !finished {
		err = op.endFenced(ctx, displaced, true)
	}
	if failed := c.failures.err(true); failed != nil && (err == nil || done(err)) {
		err = failed
	}
	return err
}

// placeFenced is place with a [Fence]. If it fails, it has undone or finished the operation; done
// says which.
func (op *operation) placeFenced(ctx context.Context, stage string) (displaced string, finished bool, err error) {
	if err := ctx.Err(); err != nil {
		return "", false, op.settleOwn(ctx, err, &finished)
	}
	ctx = context.WithoutCancel(ctx)
	op.count.displace()
	info, err := storage.Lstat(ctx, op.FS, stage)
	var old fs.FileInfo
	if err == nil {
		old, err = op.placing(ctx, info)
	}
	if err == nil {
		displaced, err = op.replace(ctx, stage, info, old)
	}
	if err == nil {
		err = op.closeGate(ctx)
	}
	if err != nil {
		err = op.settleOwn(ctx, err, &finished)
		return "", finished, err
	}
	return displaced, false, nil
}

// settleOwn finishes or undoes the operation after a call has failed with err, as a process does
// that takes over. It returns nil, with finished set, if the operation was carried out.
func (op *operation) settleOwn(ctx context.Context, err error, finished *bool) error {
	ctx = context.WithoutCancel(ctx)
	r := &recovery{op}
	var result Result
	var settled error
	_ = op.insist(func() error {
		if result, settled = r.settleFenced(ctx); result == "" {
			return settled
		}
		return nil
	})
	switch result {
	case Finished:
		*finished = true
		return settled
	case Undone:
		return err
	}
	if op.entry.State == Staging {
		// Nothing was allowed to change yet. Others may have settled this before the names
		// were made.
		_ = op.discardAll(ctx)
	}
	return &UnsettledError{Err: errors.Join(err, settled)}
}

// discardAll removes all trees under reserved names.
func (p *placement) discardAll(ctx context.Context) error {
	var all []error
	for _, name := range append([]string{p.entry.Stage, p.entry.Displaced, p.entry.Gate}, p.entry.Aside...) {
		if name == "" {
			continue
		}
		if err := p.discard(ctx, name); err != nil {
			all = append(all, &LeftoverError{Name: name, Err: err})
		}
	}
	return errors.Join(all...)
}

// endFenced ends an operation with a [Fence] after its commit. displaced is the name of the tree
// that remains to be removed; "" if there is none.
func (op *operation) endFenced(ctx context.Context, displaced string, whole bool) error {
	ctx = context.WithoutCancel(ctx)
	if err := op.follow(ctx, whole); err != nil {
		return &UnsettledError{Err: err}
	}
	err := op.drop(ctx, displaced)
	if err != nil {
		// A process that takes over before the claim ends tries again.
		return errors.Join(err, op.advance(ctx, Done))
	}
	return nil
}
