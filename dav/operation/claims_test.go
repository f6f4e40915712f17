package operation

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestScopeOverlaps(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b Scope
		want bool
	}{
		{"the same", Scope{Name: "/a"}, Scope{Name: "/a"}, true},
		{"siblings", Scope{Name: "/a", Tree: true}, Scope{Name: "/ab", Tree: true}, false},
		{"a member of a tree", Scope{Name: "/a", Tree: true}, Scope{Name: "/a/b/c"}, true},
		{"a member of a resource", Scope{Name: "/a"}, Scope{Name: "/a/b", Tree: true}, false},
		{"a direct member", Scope{Name: "/a", Members: true}, Scope{Name: "/a/b"}, true},
		{"a member below a direct member", Scope{Name: "/a", Members: true}, Scope{Name: "/a/b/c", Tree: true}, false},
		{"the root", Scope{Name: "/", Tree: true}, Scope{Name: "/a"}, true},
		{"a direct member of the root", Scope{Name: "/", Members: true}, Scope{Name: "/a"}, true},
	} {
		if got := c.a.overlaps(c.b); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
		if got := c.b.overlaps(c.a); got != c.want {
			t.Errorf("%s, the other way round: %t", c.name, got)
		}
	}
}

// TestClaimWaits: a claim waits only for claims that overlap with it.
func TestClaimWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Claims
		release, err := c.Acquire(t.Context(), "", Scope{Name: "/a", Tree: true}, Scope{Name: "/b"})
		if err != nil {
			t.Fatal(err)
		}
		free, err := c.Acquire(t.Context(), "", Scope{Name: "/c"})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(claimPatience/2, release)
		again, err := c.Acquire(t.Context(), "", Scope{Name: "/x"}, Scope{Name: "/a/b"})
		if waited := time.Since(start); err != nil || waited != claimPatience/2 {
			t.Errorf("%v after %v", err, waited)
		}
		release() // does nothing
		start = time.Now()
		if _, err := c.Acquire(t.Context(), "", Scope{Name: "/", Tree: true}); !errors.Is(err, errClaimed) || time.Since(start) != claimPatience {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), claimPatience/4)
		defer cancel()
		if _, err := c.Acquire(ctx, "", Scope{Name: "/c"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's error", err)
		}
		again()
		free()
		if len(c.held) != 0 {
			t.Errorf("%d claims are left", len(c.held))
		}
	})
}

// TestClaimExcludes: of many requests that want the same resource, one at a time has
// it.
func TestClaimExcludes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Claims
		holders, most, done := 0, 0, 0
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				release, err := c.Acquire(t.Context(), "", Scope{Name: "/a"})
				if err != nil {
					t.Error(err)
					return
				}
				holders++
				most = max(most, holders)
				time.Sleep(claimPatience / 200)
				holders--
				done++
				release()
			})
		}
		wg.Wait()
		if most != 1 || done != 100 {
			t.Errorf("%d at once, %d in all", most, done)
		}
	})
}
