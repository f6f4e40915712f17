package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/tree"
)

// The total is known long before a large tree is copied, if anybody looks, and
// never shrinks.
func TestCountRunsAhead(t *testing.T) {
	const collections, files = 400, 2 // more batches than may be queued
	for _, looks := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			fsys := aferofs.New(afero.NewMemMapFs())
			build(t, fsys, wide("/src", collections, files))
			open := make(chan struct{})
			g := &gauge{FS: fsys, enter: func() { <-open }}
			mon := tree.NewMonitor(false)
			if looks {
				mon.Snapshot()
			}
			copied := make(chan error)
			go func() { copied <- tree.Copy(t.Context(), g, "/src", "/dst", tree.Infinite, mon) }()
			// Each pause of the count is over.
			time.Sleep(time.Hour)
			before := mon.Snapshot()
			all := int64(1 + collections + collections*files)
			if known := before.Known == all; known != looks {
				t.Errorf("somebody looks: %t; %d of %d members known before the first is copied", looks, before.Known, all)
			}
			close(open)
			noError(t, <-copied)
			exact(t, mon, all, int64(collections*files*len("content")))
		})
	}
}

// The count ends with the copy, however long it would still have taken.
func TestCountEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := aferofs.New(afero.NewMemMapFs())
		build(t, fsys, wide("/src", 400, 2))
		ctx, cancel := context.WithCancel(t.Context())
		g := &gauge{FS: fsys, enter: func() {
			time.Sleep(time.Minute)
			cancel()
		}}
		start := time.Now()
		errorIs(t, tree.Copy(ctx, g, "/src", "/dst", tree.Infinite, tree.NewMonitor(true)), context.Canceled)
		if took := time.Since(start); took > time.Minute+100*time.Millisecond {
			t.Errorf("stopped %v after the end of ctx", took-time.Minute)
		}
		if _, err := fsys.Stat(t.Context(), "/dst"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something was copied: %v", err)
		}
	})
}
