package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

func TestFailuresCostTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right"})})
		attempt := func(password, remote string, want error, takes time.Duration) {
			t.Helper()
			start := time.Now()
			if err := u.check(t.Context(), "ann", password, remote); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			if took := time.Since(start); took != takes {
				t.Errorf("took %v, want %v", took, takes)
			}
		}
		for _, takes := range []string{"0s", "0s", "0s", "250ms", "500ms", "1s", "2s", "4s", "8s", "8s"} {
			d, err := time.ParseDuration(takes)
			if err != nil {
				t.Fatal(err)
			}
			attempt("wrong", remote, ErrWrong, d)
		}
		attempt("wrong", "192.0.2.2:1", ErrWrong, 0)
		attempt("wrong", "192.0.2.1:999", ErrWrong, 8*time.Second) // from another port
		attempt("right", remote, nil, 8*time.Second)
		attempt("right", remote, nil, 0) // remembered
		attempt("wrong", remote, ErrWrong, 8*time.Second)
		time.Sleep(forgetAfter)
		attempt("wrong", remote, ErrWrong, 0)
	})
}

// TestBurst makes many attempts at the same time, which must not get around the delay.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash := &slow{password: "right", takes: time.Millisecond}
		u := usersOf(map[string]passfile.Account{"ann": account("hash", hash)})
		const attempts = 500
		ended := make(chan error, attempts)
		for i := range attempts {
			go func() { ended <- u.check(t.Context(), "ann", fmt.Sprint("wrong", i), remote) }()
		}
		refused := 0
		for range attempts {
			err := <-ended
			if tooMany, ok := errors.AsType[*tooManyError](err); ok {
				refused++
				if tooMany.retryAfter <= longestLine || tooMany.retryAfter > longestLine+longestDelay {
					t.Errorf("to come back after %v", tooMany.retryAfter)
				}
			} else if !errors.Is(err, ErrWrong) {
				t.Error(err)
			}
		}
		// Up to five without delay: three, and two that take the places of the first two
		// before the third has failed. Then at most one every 250 ms for 30 s.
		if got := hash.calls.Load(); got > 2*freeFailures-1+int32(longestLine/firstDelay) || int(got)+refused != attempts {
			t.Errorf("%d hashed, %d refused", got, refused)
		}
	})
}

// TestDelayEndsWithTheRequest checks that the attempt of a disconnected client ends, so
// that others don't wait for it.
func TestDelayEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right"})})
		for range freeFailures {
			_ = u.check(t.Context(), "ann", "wrong", remote)
		}
		ctx, cancel := context.WithTimeout(t.Context(), firstDelay/2)
		defer cancel()
		if err := u.check(ctx, "ann", "right", remote); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestOrigins(t *testing.T) {
	var digests digester
	for _, tt := range []struct {
		remote1, name1, remote2, name2 string
		same                           bool
	}{
		{"192.0.2.1:1", "ann", "192.0.2.1:2", "ann", true},
		{"192.0.2.1:1", "ann", "192.0.2.1:2", "bob", false},
		{"192.0.2.1:1", "ann", "192.0.2.2:1", "ann", false},
		{"192.0.2.1:1", "ann", "[::ffff:192.0.2.1]:1", "ann", true},
		{"[2001:db8:0:1::1]:1", "ann", "[2001:db8:0:1:ffff::2]:1", "ann", true},
		{"[2001:db8:0:1::1]:1", "ann", "[2001:db8:0:2::1]:1", "ann", false},
		{"[fe80::1%eth0]:1", "ann", "[fe80::2%eth1]:1", "ann", true},
		{"127.0.0.1:1", "ann", "[::1]:1", "ann", true},
		{"127.0.0.1:1", "ann", "127.0.0.1:1", "bob", false},
		{"@", "ann", "", "ann", true},
		{"@", "ann", "@", "bob", false},
		{"@", "ann", "192.0.2.1:1", "ann", false},
	} {
		if same := originOf(tt.remote1, digests.of(tt.name1)) == originOf(tt.remote2, digests.of(tt.name2)); same != tt.same {
			t.Errorf("%+v: the same %v", tt, same)
		}
	}
}

func TestOriginsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d delays
		fail := func(i int) {
			from := origin{addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
			l, err := d.enter(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			d.fail(l)
			d.leave(from, l)
		}
		inUse := origin{addr: netip.MustParseAddr("192.0.2.1")}
		if _, err := d.enter(t.Context(), inUse); err != nil {
			t.Fatal(err)
		}
		for i := range maxOrigins / 2 {
			fail(i)
		}
		time.Sleep(forgetAfter)
		for i := range maxOrigins / 2 {
			fail(maxOrigins + i)
		}
		// Failures that still count were not forgotten.
		recent := 0
		for _, l := range d.lines {
			if l.failures > 0 && time.Since(l.last) == 0 {
				recent++
			}
		}
		if recent != maxOrigins/2 {
			t.Errorf("%d of %d are kept", recent, maxOrigins/2)
		}
		for i := range 3 * maxOrigins {
			fail(2*maxOrigins + i)
			if len(d.lines) > maxOrigins {
				t.Fatalf("%d are kept", len(d.lines))
			}
		}
		if d.lines[inUse] == nil {
			t.Error("one that is in use is forgotten")
		}
	})
}

func TestSuccessLeavesNoLine(t *testing.T) {
	u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right"})})
	if err := u.check(t.Context(), "ann", "right", remote); err != nil || len(u.gate.delays.lines) != 0 {
		t.Errorf("%d lines, error %v", len(u.gate.delays.lines), err)
	}
}
