package tree_test

import (
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage/tree"
)

// nice returns the nice value of this thread.
func nice(t *testing.T) int {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	noError(t, err)
	return 20 - raw
}

// Goroutines that answer requests go first. One of them has started the operation, and
// it keeps its priority.
func TestLongOperationsStandBack(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, wide("/src", 60, 3))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own := nice(t)
	var mu sync.Mutex
	var last int
	g := &gauge{FS: fsys, enter: func() {
		mu.Lock()
		defer mu.Unlock()
		last = nice(t)
	}}
	noError(t, copyTree(t.Context(), g, "/src", "/dst", tree.Infinite, nil))
	if last != min(own+10, 19) {
		t.Errorf("the last batch of a COPY ran at niceness %d, requests at %d", last, own)
	}
	last = own
	noError(t, removeTree(t.Context(), g, "/dst", nil))
	if last != min(own+10, 19) {
		t.Errorf("the last batch of a DELETE ran at niceness %d, requests at %d", last, own)
	}
	if now := nice(t); now != own {
		t.Errorf("requests at niceness %d now, at %d before", now, own)
	}
}
