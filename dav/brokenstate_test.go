//go:build unix

package dav_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// brokenState is a database whose disk fails after some changes, until it heals.
type brokenState struct {
	*sqlstate.DB
	mu sync.Mutex
	// left is how many changes succeed before the first failure. If it is negative, none
	// fails.
	left int
	// late: the failing change is made nevertheless.
	late bool
}

// errDisk is the error that sqlstate returns when a disk fails.
var errDisk = fmt.Errorf("%w: disk I/O error", storage.ErrState)

func (b *brokenState) heal() { b.breakAfter(-1) }

func (b *brokenState) breakAfter(changes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = changes
}

func (b *brokenState) change(f func() error) error {
	b.mu.Lock()
	fails := b.left == 0
	if b.left > 0 {
		b.left--
	}
	b.mu.Unlock()
	if !fails {
		return f()
	}
	if b.late {
		return errors.Join(errDisk, f())
	}
	return errDisk
}

func (b *brokenState) SaveLock(ctx context.Context, l lock.Lock) error {
	return b.change(func() error { return b.DB.SaveLock(ctx, l) })
}

func (b *brokenState) DeleteLocks(ctx context.Context, tokens ...string) error {
	return b.change(func() error { return b.DB.DeleteLocks(ctx, tokens...) })
}

func (b *brokenState) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	return b.change(func() error { return b.DB.Patch(ctx, name, patches) })
}

func (b *brokenState) Move(ctx context.Context, src, dst string) error {
	return b.change(func() error { return b.DB.Move(ctx, src, dst) })
}

func (b *brokenState) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return b.change(func() error { return b.DB.Copy(ctx, src, dst, zeroDepth) })
}

func (b *brokenState) Remove(ctx context.Context, name string) error {
	return b.change(func() error { return b.DB.Remove(ctx, name) })
}

func (b *brokenState) SaveRecord(ctx context.Context, id string, record []byte) error {
	return b.change(func() error { return b.DB.SaveRecord(ctx, id, record) })
}

func (b *brokenState) SaveUrgent(ctx context.Context, id string, record []byte) error {
	return b.change(func() error { return b.DB.SaveUrgent(ctx, id, record) })
}

func (b *brokenState) DeleteRecord(ctx context.Context, id string) error {
	return b.change(func() error { return b.DB.DeleteRecord(ctx, id) })
}

func (b *brokenState) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	err = b.change(func() (err error) {
		release, err = b.DB.Secure(ctx, src, dst, locks)
		return err
	})
	return release, err
}

var _ journal.UrgentStore = &brokenState{}

// brokenCase is a request during which the disk with the state starts to fail.
type brokenCase struct {
	request keptRequest
	// changes is how many changes succeed before that.
	changes int
	// late: the first change that reports a failure is made nevertheless.
	late bool
	// stop: the disk never heals, and the server is stopped while the operation waits.
	stop bool
}

func (c brokenCase) String() string {
	return fmt.Sprintf("%v, the disk fails after %d changes, late %t, stopped %t", c.request, c.changes, c.late, c.stop)
}

// run reports whether the disk has failed.
func (c brokenCase) run(t *testing.T) (failed bool) {
	t.Helper()
	var broken *brokenState
	s := &keptSite{t: t, share: t.TempDir(), state: t.TempDir()}
	s.wrap = func(db *sqlstate.DB) keptState {
		broken = &brokenState{DB: db, left: -1, late: c.late}
		return broken
	}
	waits := make(chan struct{})
	s.log = func(_ operation.Operation, err error) {
		if errors.Is(err, storage.ErrState) {
			close(waits)
		}
	}
	s.open()
	defer func() { s.close() }()
	was := s.furnish(true)
	broken.breakAfter(c.changes)
	status, want, waited := c.send(s, was, waits, broken)
	switch {
	case status/100 == 2:
	case waited || status != http.StatusServiceUnavailable:
		t.Errorf("%v: waited %t, answered %d", c, waited, status)
	}
	broken.heal()
	c.check(s, status, was, want)
	return waited || status/100 != 2
}

// send performs the request. If the request waits for the disk, the disk heals or the
// server stops.
func (c brokenCase) send(s *keptSite, was world, waits <-chan struct{}, broken *brokenState) (status int, want world, waited bool) {
	s.t.Helper()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		status, want = s.perform(c.request, was)
	}()
	select {
	case <-waits:
		waited = true
	case <-answered:
	case <-time.After(5 * time.Minute):
		s.t.Fatalf("%v: no answer", c)
	}
	if waited && c.stop {
		ctx, cancel := context.WithCancel(s.t.Context())
		cancel()
		_ = s.handler.Shutdown(ctx)
	} else if waited {
		broken.heal()
	}
	<-answered
	return status, want, waited
}

// check compares the answer with the share and the state, immediately and after a
// restart.
func (c brokenCase) check(s *keptSite, status int, was, want world) {
	s.t.Helper()
	if c.late && status/100 != 2 {
		// After a reported failure, it is unknown whether the change was made.
		if d := s.look().differs(was); d != "" && !c.request.stateAlone() {
			s.t.Errorf("%v: answered %d, %s", c, status, d)
		}
		return
	}
	if !c.stop {
		s.check(fmt.Sprintf("%v: answered %d", c, status), want)
	}
	s.close()
	s.wrap = nil
	s.open()
	s.check(fmt.Sprintf("%v: answered %d, after a restart", c, status), want)
	if left, err := s.db.LoadRecords(s.t.Context()); err != nil || len(left) > 0 {
		s.t.Errorf("%v: the journal has still %q (%v)", c, left, err)
	}
}

// stateAlone reports whether r changes only properties or locks.
func (r keptRequest) stateAlone() bool {
	switch r.method {
	case "PROPPATCH", "LOCK", "REFRESH", "UNLOCK":
		return true
	}
	return false
}

// TestBrokenState: whichever change of the state is the first one to fail, a request is
// either refused before anything changes or carried out completely, including
// properties and locks. That may take until the disk works again, or until the next
// start.
func TestBrokenState(t *testing.T) {
	var cases []brokenCase
	for _, r := range fullRequests(true) {
		for changes := range 8 {
			for _, late := range []bool{false, true} {
				for _, stop := range []bool{false, true} {
					cases = append(cases, brokenCase{r, changes, late, stop})
				}
			}
		}
	}
	some := false
	for _, c := range sweep.Sample(t, cases, 40) {
		some = c.run(t) || some
	}
	if !some {
		t.Error("the disk has never failed")
	}
}
