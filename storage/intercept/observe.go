package intercept

import (
	"context"
	"io/fs"
	"iter"
	"time"

	"github.com/davd/davd/storage"
)

// After is called after each call of an FS, and for each member that is copied or removed. op is
// as for [Before], and took is how long the call took. Several goroutines may call After at once.
type After func(op string, took time.Duration)

// Observe returns fsys with all its capabilities, and with calls of after. Files, listings and
// replacements are those of fsys. So the kernel can still send files, and after sees how long
// open, list and replacefile took but not the transfer of content.
func Observe(fsys storage.FS, after After) storage.FS {
	return &observed{&hooked{FS: fsys, before: func(context.Context, string, string) error { return nil }, after: after}}
}

type observed struct{ *hooked }

// OpenRead implements storage.ReadOpener. A hooked FS has its fallback, whose calls can fail.
func (o *observed) OpenRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	defer o.observe("open")()
	return storage.OpenRead(ctx, o.FS, name)
}

func nothing() {}

// observe returns the function to call at the end of a call.
func (h *hooked) observe(op string) (end func()) {
	if h.after == nil {
		return nothing
	}
	start := time.Now()
	return func() { h.after(op, time.Since(start)) }
}

// observeEach returns results, and calls After for each.
func (h *hooked) observeEach(op string, results iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		start := time.Now()
		for name, err := range results {
			h.after(op, time.Since(start))
			if !yield(name, err) {
				return
			}
			start = time.Now()
		}
	}
}
