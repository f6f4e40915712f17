package intercept

import (
	"context"
	"iter"

	"github.com/davd/davd/storage"
)

func (f *FS) before(ctx context.Context, op, name string) error {
	if f.Before == nil {
		return nil
	}
	return f.Before(ctx, op, name)
}

// do calls Before and then call.
func do[T any](ctx context.Context, f *FS, op, name string, call func() (T, error)) (T, error) {
	if err := f.before(ctx, op, name); err != nil {
		var none T
		return none, err
	}
	return call()
}

// does is do for a call that returns only an error.
func (f *FS) does(ctx context.Context, op, name string, call func() error) error {
	if err := f.before(ctx, op, name); err != nil {
		return err
	}
	return call()
}

// beforeIf calls Before if the other FS has the capability C.
func beforeIf[C storage.FS](ctx context.Context, f *FS, op, name string) error {
	if _, ok := f.FS.(C); !ok {
		return nil
	}
	return f.before(ctx, op, name)
}

// first returns the result for the only member.
func first(results iter.Seq2[string, error]) error {
	for _, err := range results {
		return err
	}
	return nil
}

// inner returns the FS that into decorates, because two FS can't reach each other through a
// decorator.
func inner(into storage.FS) storage.FS {
	if f, ok := into.(*FS); ok {
		return f.FS
	}
	return into
}
