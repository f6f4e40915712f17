package lock_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/davd/davd/storage/lock"
)

// crowd returns a System with n locks on files, a hundred in each collection.
func crowd(b *testing.B, n int) *lock.System {
	b.Helper()
	s := newSystem(b, lock.Options{MaxPerPrincipal: n + 10})
	for i := range n {
		acquire(b, s, start, lock.Lock{Root: fmt.Sprintf("/crowd/%d/%d", i/100, i), Duration: time.Hour})
	}
	return s
}

func BenchmarkFind(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{0, 10_000} {
		for _, c := range []struct {
			name, root string
			tree       bool
		}{
			{"file", "/photos/2024/summer/img 0001.jpg", false},
			{"tree", "/photos/2024/summer", true},
			{"neighbour", "/crowd/50/x", false},
			{"neighbouring tree", "/crowd/x", true},
		} {
			b.Run(fmt.Sprintf("%s/locks=%d", c.name, n), func(b *testing.B) {
				s := crowd(b, n)
				b.ReportAllocs()
				for b.Loop() {
					if found, _ := s.Find(ctx, start, c.root, c.tree); len(found) > 0 {
						b.Fatal(found)
					}
				}
			})
		}
	}
}

func BenchmarkFindLocked(b *testing.B) {
	ctx := context.Background()
	s := crowd(b, 10_000)
	acquire(b, s, start, lock.Lock{Root: "/photos", Duration: time.Hour})
	b.ReportAllocs()
	for b.Loop() {
		if found, _ := s.Find(ctx, start, "/photos/2024/summer/img 0001.jpg", false); len(found) != 1 {
			b.Fatal(found)
		}
	}
}

func BenchmarkFindParallel(b *testing.B) {
	ctx := context.Background()
	s := crowd(b, 10_000)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = s.Find(ctx, start, "/photos/2024/summer/img 0001.jpg", false)
		}
	})
}

func BenchmarkReleaseTree(b *testing.B) {
	ctx := context.Background()
	s := crowd(b, 10_000)
	b.Run("nothing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = s.ReleaseTree(ctx, start, "/photos/2024")
		}
	})
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			acquire(b, s, start, lock.Lock{Root: "/photos/2024/x", Duration: time.Hour})
			_ = s.ReleaseTree(ctx, start, "/photos/2024")
		}
	})
}

func BenchmarkAcquireRelease(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("locks=%d", n), func(b *testing.B) {
			s := crowd(b, n)
			b.ReportAllocs()
			for b.Loop() {
				l := acquire(b, s, start, lock.Lock{Root: "/photos/2024/x", Duration: time.Hour})
				_ = s.Release(ctx, start, l.Token)
			}
		})
	}
}

// TestFindAllocates: Find allocates nothing for a resource that is not locked. A
// listing calls it for each member.
func TestFindAllocates(t *testing.T) {
	ctx := context.Background()
	s := newSystem(t, lock.Options{})
	acquire(t, s, start, lock.Lock{Root: "/a/b/c", Duration: time.Hour})
	for _, name := range []string{"/", "/a/b", "/a/b/x", "/x/y/z"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = s.Find(ctx, start, name, false) }); n != 0 {
			t.Errorf("Find(%q) allocates %v times", name, n)
		}
	}
}
