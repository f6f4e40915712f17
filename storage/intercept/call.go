package intercept

import (
	"context"
	"iter"

	"github.com/davd/davd/storage"
)

// Before is called before each call of an FS and of its files, listings and replacements,
// but not if the other FS lacks the capability. If it returns an error, the call isn't made
// and returns that error; but it closes a file or a listing and discards a replacement all
// the same. op says which call it is:
//
//   - of the FS: mkdir, open, removeall, rename, stat, lstat, list, canonical, remove,
//     settimes, readdeadprops, replacefile, space, exchange, exchanged, copymembers,
//     copytree, removetree or hold;
//   - of a file: read, write, seek, close, readdir, stat, deadprops or patch;
//   - of a listing: next, describe for each member, or close;
//   - of a replacement: write, prepare, commit or discard.
//
// name is the name that the FS was called with: for rename and copytree the old name, for
// copymembers and remove that of each member. For copies that another FS makes in this one, copymembers has
// the name of each copy. An exchange of two names, and a rename to another FS, is
// an exchange of the old name and exchanged of the new one. If the other FS is not a
// storage.FileReplacer or not a storage.Copier, the fallback makes its calls one by one.
// Several goroutines may call Before at once. The ctx of a call of a file never ends.
type Before func(ctx context.Context, op, name string) error

// do calls Before and then call.
func do[T any](ctx context.Context, h *hooked, op, name string, call func() (T, error)) (T, error) {
	defer h.observe(op)()
	if err := h.before(ctx, op, name); err != nil {
		var none T
		return none, err
	}
	return call()
}

// does is do for a call that returns only an error.
func (h *hooked) does(ctx context.Context, op, name string, call func() error) error {
	defer h.observe(op)()
	if err := h.before(ctx, op, name); err != nil {
		return err
	}
	return call()
}

// beforeIf calls Before if the other FS has the capability C.
func beforeIf[C storage.FS](ctx context.Context, h *hooked, op, name string) error {
	if _, ok := h.FS.(C); !ok {
		return nil
	}
	return h.before(ctx, op, name)
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
	switch h := into.(type) {
	case *hooked:
		return h.FS
	case *observed:
		return h.FS
	}
	return into
}
