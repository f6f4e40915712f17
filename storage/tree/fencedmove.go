package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/davd/davd/storage"
)

// moveFenced is move with a [Fence]. The source goes through a gate beside the destination, which
// is on another filesystem if and only if the first rename says so. That rename is the commit: a
// process that takes over puts a source in place that is in the gate.
func (op *operation) moveFenced(ctx context.Context, info fs.FileInfo) error {
	src, dst := op.entry.Source, op.entry.Destination
	op.mon.Begin(src)
	finished := false
	uncanceled := context.WithoutCancel(ctx)
	op.entry.State = Staging
	old, err := op.identify(uncanceled, info)
	if err == nil {
		err = op.mayMove(ctx, info, old)
	}
	if err != nil {
		return err
	}
	displaced := op.beside(dst)
	op.entry.Aside = append(op.entry.Aside, displaced)
	err = op.openGate(uncanceled, dst)
	op.count.displace()
	inGate := op.entry.Gate + gateSource
	if err == nil {
		err = op.FS.Rename(uncanceled, src, inGate)
		if immovable(err) && op.closeGate(uncanceled) == nil {
			op.entry.Aside, op.entry.Fresh, op.entry.Old = nil, "", ""
			return op.transfer(ctx, info)
		}
	}
	if err == nil && old != nil && storage.SameFile(old, info) {
		// It was a hard link, or only another spelling of the source.
		old, err = op.look(op.own(uncanceled), dst)
	}
	if err == nil {
		displaced, err = op.replaceMoved(op.own(uncanceled), inGate, displaced, info, old)
	}
	if err != nil {
		if err = op.settleOwn(uncanceled, err, &finished); !finished {
			return err
		}
	}
	op.mon.Found(1, 0)
	op.count.source.gone()
	if !finished {
		err = op.endFenced(uncanceled, displaced, true)
	}
	op.mon.Resolve(src, nil)
	return err
}

// replaceMoved puts the tree in the gate at the destination, and closes the gate. aside is an
// unused name, which it returns if old has that name now.
func (op *operation) replaceMoved(ctx context.Context, inGate, aside string, info, old fs.FileInfo) (displaced string, err error) {
	displaced, err = op.replace(ctx, inGate, info, old)
	if err == nil && displaced == inGate {
		displaced, err = aside, op.FS.Rename(ctx, inGate, aside)
	}
	if err == nil {
		err = op.closeGate(ctx)
	}
	return displaced, err
}

// mayMove returns an error if the principal must not move the source, which info describes, to the
// destination, where old is now. The renames through a gate don't show where the source goes.
func (op *operation) mayMove(ctx context.Context, info, old fs.FileInfo) error {
	err := storage.Allowed(ctx, op.FS, op.entry.Source, storage.RightsRead|storage.RightDelete, info.IsDir())
	if err == nil {
		err = storage.Allowed(ctx, op.FS, op.entry.Destination, storage.RightCreate, info.IsDir())
	}
	if err != nil || old == nil {
		return err
	}
	return storage.Allowed(ctx, op.FS, op.entry.Destination, storage.RightDelete, old.IsDir())
}

// transferFenced is the second half of transfer with a [Fence], after the copy named stage is
// complete.
func (op *operation) transferFenced(ctx context.Context, stage string) error {
	displaced, finished, err := op.placeFenced(ctx, stage)
	if err != nil || finished {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	dropped := op.drop(ctx, displaced)
	removed := op.removeSourceFenced(ctx, "")
	op.mon.skipRest() // skips members that vanished after they were copied
	if _, partial := errors.AsType[*PartialError](removed); removed != nil && !partial {
		finished := false
		if err := op.settleOwn(ctx, removed, &finished); !finished || err != nil {
			return err
		}
		return dropped
	}
	if err := op.endFenced(ctx, "", removed == nil); err != nil {
		return errors.Join(removed, err)
	}
	if removed != nil {
		return removed
	}
	return dropped
}

// removeSourceFenced removes the source after its copy was put at the destination. taken is the
// name that the source has now; "" if it still has its own. Members without a copy go back to
// their names; then the error is a *[PartialError].
func (op *operation) removeSourceFenced(ctx context.Context, taken string) error {
	src, dst := op.entry.Source, op.entry.Destination
	if taken == "" {
		is, err := op.look(ctx, src)
		if err != nil || is == nil || mark(is) != op.entry.Origin {
			return err // If it is gone, or another file now, nothing is left to do.
		}
		if taken, err = op.takeSource(ctx); err != nil {
			return err
		}
	}
	is, err := op.look(ctx, taken)
	if err != nil || is == nil {
		return err
	}
	fresh, err := storage.Lstat(ctx, op.FS, dst)
	if err != nil {
		return err
	}
	r := &remover{Engine: op.Engine, ctx: ctx, mon: op.mon}
	r.refuse = func(name string, info fs.FileInfo) error {
		if storage.SameFile(info, fresh) {
			return &os.LinkError{Op: "move", Old: src, New: dst, Err: storage.ErrOverlap}
		}
		return op.unreplaced(ctx, name, dst+strings.TrimPrefix(name, taken), info)
	}
	if err := r.remove(newRoot(taken, is)); err != nil {
		r.failures.add(taken, err)
	}
	kept := r.failures.err(true)
	if kept == nil {
		return nil
	}
	for i := range r.failures.named {
		r.failures.named[i].rename(taken, src)
	}
	if err := op.FS.Rename(ctx, taken, src); err != nil {
		return errors.Join(errors.New(kept.Error()), err)
	}
	return kept
}

// rename gives the member the name that it has if the tree from is called to.
func (o *Outcome) rename(from, to string) {
	o.Name = to + strings.TrimPrefix(o.Name, from)
	if p, ok := errors.AsType[*fs.PathError](o.Err); ok {
		o.Err = &fs.PathError{Op: p.Op, Path: o.Name, Err: p.Err}
	}
}

// takeSource gives the source an unused reserved name, through a gate beside it.
func (op *operation) takeSource(ctx context.Context) (taken string, err error) {
	src := op.entry.Source
	taken = op.beside(src)
	op.entry.Aside = append(op.entry.Aside, taken)
	if err := op.openGate(ctx, src); err != nil {
		return "", err
	}
	inGate := op.entry.Gate + gateSource
	if err := op.FS.Rename(ctx, src, inGate); err != nil {
		return "", err
	}
	if err := op.FS.Rename(ctx, inGate, taken); err != nil {
		return "", err
	}
	return taken, op.closeGate(ctx)
}
