package mount

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"path"

	"github.com/davd/davd/storage"
)

// CopyMembers implements storage.Copier. The storage of c.From copies the members to that of
// c.To, so two directories on one filesystem share blocks.
func (f *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		from, err := f.below(ctx, "copy", c.From)
		if err == nil && from.in == nil {
			err = fs.ErrNotExist
		}
		if err != nil {
			yieldFailed(c, err, yield)
			return
		}
		defer from.release()
		inner, to := c, target{}
		inner.From = from.name
		if c.Into == nil || c.Into == storage.FS(f) {
			if to, err = f.copyTarget(ctx, c); err != nil {
				yieldFailed(c, err, yield)
				return
			}
			defer to.release()
			inner.To, inner.Into = to.name, nil
			if to.in != from.in {
				inner.Into = to.in.fsys
			}
		}
		for member, err := range storage.CopyMembers(ctx, from.in.fsys, inner) {
			if !yield(member, failedBetween(err, &from.spot, &to.spot)) {
				return
			}
		}
	}
}

// copyTarget returns the target of c.To. No copy may get the name of a share.
func (f *FS) copyTarget(ctx context.Context, c storage.Copying) (target, error) {
	to, err := f.below(ctx, "copy", c.To)
	if err != nil {
		return to, err
	}
	refused := to.in == nil
	if !refused && to.node != nil && to.node.leads() {
		for _, member := range c.Members {
			refused = refused || to.node.hides(path.Base(c.Target(member)))
		}
	}
	if refused {
		to.release()
		return target{}, fs.ErrPermission
	}
	return to, nil
}

// yieldFailed yields err for each member.
func yieldFailed(c storage.Copying, err error, yield func(string, error) bool) {
	for _, member := range c.Members {
		failed := &os.LinkError{Op: "copy", Old: c.Source(member), New: c.Target(member), Err: storage.Cause(err)}
		if !yield(member.Name(), failed) {
			return
		}
	}
}
