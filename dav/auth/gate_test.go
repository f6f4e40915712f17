package auth

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

// TestFirstConnections makes the first connections of a mount, which all come at once.
func TestFirstConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash := &slow{password: "right", takes: time.Second}
		u := usersOf(map[string]passfile.Account{"ann": account("hash", hash)})
		const connections = 16
		verified := make(chan error, connections)
		for i := range connections {
			go func() { verified <- u.check(t.Context(), "ann", "right", "192.0.2.1:"+strconv.Itoa(i)) }()
		}
		for range connections {
			if err := <-verified; err != nil {
				t.Error(err)
			}
		}
		if got := hash.calls.Load(); got != 1 {
			t.Errorf("hashed %d times", got)
		}
	})
}

// busy takes all free turns. release gives them back.
func busy(t *turns) (release func()) {
	var taken []*turn
	for t.free > 0 {
		taken = append(taken, t.join(digest{}))
	}
	return func() {
		for _, x := range taken {
			t.leave(x)
		}
	}
}

func TestFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash := &slow{password: "right", takes: time.Second}
		u := usersOf(map[string]passfile.Account{"ann": account("hash", hash)})
		cores := runtime.GOMAXPROCS(0)
		ended := make(chan error)
		for i := range 3 * cores {
			go func() { ended <- u.check(t.Context(), "ann", "wrong", "192.0.2."+strconv.Itoa(i)+":1") }()
		}
		start := time.Now()
		synctest.Wait()
		waiting, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := u.check(waiting, "ann", "right", "198.51.100.1:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits gets %v when the request ends", err)
		}
		for range 3 * cores {
			if err := <-ended; !errors.Is(err, ErrWrong) {
				t.Error(err)
			}
		}
		if got := int(hash.most.Load()); got != cores {
			t.Errorf("%d hashed at a time, want %d", got, cores)
		}
		// Refusals have their own turns, and each takes as long as a hash.
		if lasted, want := time.Since(start), time.Duration(3*cores/max(1, cores/2))*time.Second; lasted != want {
			t.Errorf("all lasted %v, want %v", lasted, want)
		}
	})
}

// TestLeaderLeaves cancels the request that makes an attempt while others wait for it.
func TestLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash := &slow{password: "right"}
		u := usersOf(map[string]passfile.Account{"ann": account("hash", hash)})
		release := busy(u.gate.listed)
		leading, leave := context.WithCancel(t.Context())
		ended := make(chan error, 3)
		go func() { ended <- u.check(leading, "ann", "right", remote) }()
		synctest.Wait()
		for range 2 {
			go func() { ended <- u.check(t.Context(), "ann", "right", remote) }()
		}
		synctest.Wait()
		leave()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that left got %v", err)
		}
		release()
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("one that stayed got %v", err)
			}
		}
		if got := hash.calls.Load(); got != 1 {
			t.Errorf("hashed %d times", got)
		}
	})
}

func TestNothingIsLeft(t *testing.T) {
	u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right"})})
	for _, password := range []string{"wrong", "right"} {
		_ = u.check(t.Context(), "ann", password, remote)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_ = u.check(ended, "ann", "other", remote)
	if len(u.gate.flights) != 0 {
		t.Errorf("left: %d flights", len(u.gate.flights))
	}
	for _, x := range []*turns{u.gate.familiar, u.gate.listed, u.gate.refusals} {
		if len(x.lines) != 0 || len(x.order) != 0 || x.free == 0 {
			t.Errorf("left: %v, %d free", x.order, x.free)
		}
	}
	for _, l := range u.gate.delays.lines {
		if l.waiting != 0 || len(l.places) != 0 {
			t.Errorf("left: a line of %d, %d places", l.waiting, len(l.places))
		}
	}
}
