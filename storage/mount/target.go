package mount

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
)

// target is a name and, if a share contains it, the storage. The caller must release it.
type target struct {
	spot
	in *opened // nil if share is nil
}

// target returns the target of name for the call op.
func (f *FS) target(ctx context.Context, op, name string) (target, error) {
	p := f.pinOf(ctx)
	for {
		t := f.tableOf(p)
		at := target{spot: t.find(name)}
		if at.share == nil {
			return at, ctx.Err()
		}
		var err error
		at.in, err = at.share.acquire(ctx, at.user)
		if errors.Is(err, errGone) && p == nil {
			continue
		}
		if err == nil {
			err = p.check(at)
		}
		if err != nil {
			at.release()
			return target{}, &fs.PathError{Op: op, Path: name, Err: err}
		}
		return at, nil
	}
}

// inside is target for a call that needs a name in a share, other than its root. It fails for
// names that belong to no share, that lead to one, or that are hidden by one. op creates name
// if create is true.
func (f *FS) inside(ctx context.Context, op, name string, create bool) (target, error) {
	at, err := f.target(ctx, op, name)
	if err != nil {
		return at, err
	}
	if err := f.outside(ctx, at, create); err != nil {
		at.release()
		return target{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return at, nil
}

// outside returns the error of a change of a name that is not inside a share. create says that
// the change creates the name.
func (f *FS) outside(ctx context.Context, at target, create bool) error {
	switch {
	case at.node != nil:
		return fs.ErrPermission // It must stay.
	case at.in != nil && !at.hidden:
		return nil
	case create && (at.hidden || f.tableOf(f.pinOf(ctx)).exists(path.Dir(at.full))):
		return fs.ErrPermission
	}
	return fs.ErrNotExist
}

// below is target for a call that describes or reads something. It returns fs.ErrNotExist for
// names that don't exist because no share contains them or one hides them.
func (f *FS) below(ctx context.Context, op, name string) (target, error) {
	at, err := f.target(ctx, op, name)
	if err == nil && at.node == nil && (at.in == nil || at.hidden) {
		at.release()
		return target{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return at, err
}

func (t target) release() { t.in.release() }

// failed returns err with names of the name space.
func (s *spot) failed(err error) error {
	if err == nil || s.at == "" {
		return err
	}
	switch e := err.(type) { //nolint:errorlint // only the outermost error has the names of the call
	case *fs.PathError:
		return &fs.PathError{Op: e.Op, Path: s.outer(e.Path), Err: e.Err}
	case *os.LinkError:
		return &os.LinkError{Op: e.Op, Old: s.outer(e.Old), New: s.outer(e.New), Err: e.Err}
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		named := make([]error, len(all))
		for i, each := range all {
			named[i] = s.failed(each)
		}
		if _, joined := errors.AsType[*fs.PathError](err); joined {
			return errors.Join(named...)
		}
	}
	return err
}

// outer returns a name in an error in the name space.
func (s *spot) outer(name string) string {
	if name == "" || name[0] != '/' {
		return name
	}
	return s.out(name)
}

// failedBetween returns err, from a call with names in two shares, with names of the name space.
func failedBetween(err error, from, to *spot) error {
	if e, ok := err.(*os.LinkError); ok { //nolint:errorlint // only the outermost error has the names of the call
		return &os.LinkError{Op: e.Op, Old: from.outer(e.Old), New: to.outer(e.New), Err: e.Err}
	}
	return from.failed(err)
}
