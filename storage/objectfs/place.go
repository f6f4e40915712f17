package objectfs

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// errMoved says that another file has taken the name since the check.
var errMoved = errors.New("another file has the name by now")

// mostTries is how often a commit looks again at the file that it will replace. Under a claim, one
// look is enough.
const mostTries = 100

// place puts the content in place, if p allows it. It returns errors of p.Check unchanged.
func (n *replacement) place(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	how := names.Placing{Perm: uint32(n.perm), Modified: storage.Modified(p.Modified), Create: p.Create}
	looks := p.Check != nil || n.patched != nil
	inside := n.fs.options.Names.InTransaction(ctx)
	for try := range mostTries {
		switch {
		case looks && inside:
			// The checks belong to the same transaction, so they need no look before it.
			how.Check = func(_ context.Context, old *names.Node) error { return n.allow(p, old) }
		case looks:
			old, err := n.checked(ctx, p, try == 0)
			if err != nil {
				return nil, err
			}
			how.Check = same(old)
		}
		node, err := n.fs.put(ctx, n.name, n.upload, *n.ready, how)
		refused, ok := errors.AsType[refusal](err)
		switch {
		case ok:
			return nil, refused.error
		case errors.Is(err, errMoved):
		case err != nil:
			return nil, n.failed(err)
		default:
			return n.fs.info(node, n.name), nil
		}
	}
	return nil, n.failed(storage.ErrChanged)
}

// refusal is the error of a check.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// allow makes the checks with the file that will be replaced, or nil. Its error is a refusal.
func (n *replacement) allow(p storage.Placing, old *names.Node) error {
	if p.Check != nil {
		if err := p.Check(n.infoOf(old)); err != nil {
			return refusal{err}
		}
	}
	if err := n.base.Check(n.infoOf(old)); err != nil {
		return refusal{n.failed(err)}
	}
	return nil
}

// checked returns the file that will be replaced, or nil, after the checks of the caller. They may
// use the storage, so they are made outside the transaction of the database, which then compares
// the file.
func (n *replacement) checked(ctx context.Context, p storage.Placing, first bool) (*names.Node, error) {
	old := n.old
	if !n.brief || !first {
		var err error
		if old, err = n.occupant(ctx); err != nil {
			return nil, n.failed(err)
		}
	}
	if old != nil && p.Create {
		return nil, n.failed(fs.ErrExist)
	}
	if err := n.allow(p, old); err != nil {
		refused, _ := errors.AsType[refusal](err)
		return nil, refused.error
	}
	return old, nil
}

// same returns a check that the file is still old.
func same(old *names.Node) func(context.Context, *names.Node) error {
	return func(_ context.Context, now *names.Node) error {
		switch {
		case now == nil && old == nil:
			return nil
		case now == nil || old == nil || now.ID != old.ID || !now.Changed.Equal(old.Changed):
			return errMoved
		}
		return nil
	}
}
