package names_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/objectfs/names/namestest"
)

// eachPair runs a test with two spaces of the same names: with PostgreSQL, of two nodes.
func eachPair(t *testing.T, test func(t *testing.T, a, b *names.Space)) {
	t.Helper()
	for _, kind := range databases {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			place := kind.place(t)
			first := kind.open(t, place)
			second := first
			if first.Base().PostgreSQL() {
				second = kind.open(t, place)
			}
			test(t, space(t, first), space(t, second))
			namestest.Consistent(t, first)
		})
	}
}

// both runs two functions at the same time.
func both(f, g func() error) (first, second error) {
	var wg sync.WaitGroup
	wg.Go(func() { first = f() })
	wg.Go(func() { second = g() })
	wg.Wait()
	return first, second
}

// oneFails reports whether exactly one of two operations has failed, with the error want.
func oneFails(first, second, want error) bool {
	return first == nil && errors.Is(second, want) || second == nil && errors.Is(first, want)
}

// noFlaws checks that no flaw is found.
func noFlaws(tb testing.TB, s *names.Space) {
	tb.Helper()
	if err := s.Flaws(tb.Context(), func(f names.Flaw) { tb.Errorf("found %+v", f) }); err != nil {
		tb.Error(err)
	}
}

const rounds = 30

func TestMovesMakeNoCycle(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, s, other *names.Space) {
		for i := range rounds {
			a, b := fmt.Sprintf("/a%d", i), fmt.Sprintf("/b%d", i)
			mkdir(t, s, a)
			mkdir(t, s, b)
			mkdir(t, s, a+"/sub")
			mkdir(t, s, b+"/sub")
			first, second := both(
				func() error { return s.Rename(t.Context(), a, b+"/sub/x", false) },
				func() error { return other.Rename(t.Context(), b, a+"/sub/x", false) },
			)
			if !oneFails(first, second, fs.ErrNotExist) {
				t.Fatalf("the moves return %v and %v", first, second)
			}
		}
	})
}

func TestPutBesideRemovalOfParent(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, s, other *names.Space) {
		for i := range rounds {
			name := fmt.Sprintf("/a%d", i)
			mkdir(t, s, name)
			put, detach := both(
				func() error {
					_, err := s.Put(t.Context(), name+"/f", names.Content{Data: []byte("x"), Size: 1}, names.Placing{})
					return err
				},
				func() error { return other.Detach(t.Context(), name, true) },
			)
			switch {
			case put == nil && errors.Is(detach, fs.ErrExist):
			case detach == nil && errors.Is(put, fs.ErrNotExist):
			default:
				t.Fatalf("Put returns %v, and Detach %v", put, detach)
			}
		}
	})
}

func TestPutsOfOneName(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, s, other *names.Space) {
		content := names.Content{Data: []byte("x"), Size: 1}
		for i := range rounds {
			name := fmt.Sprintf("/f%d", i)
			create := func(s *names.Space) func() error {
				return func() error {
					_, err := s.Put(t.Context(), name, content, names.Placing{Create: true})
					return err
				}
			}
			first, second := both(create(s), create(other))
			if !oneFails(first, second, fs.ErrExist) {
				t.Fatalf("both create: %v, %v", first, second)
			}
			old, err := s.Find(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			changed := errors.New("changed")
			replace := func(s *names.Space) func() error {
				return func() error {
					_, err := s.Put(t.Context(), name, content, names.Placing{Check: func(_ context.Context, n *names.Node) error {
						if n == nil || n.ID != old.ID {
							return changed
						}
						return nil
					}})
					return err
				}
			}
			first, second = both(replace(s), replace(other))
			if !oneFails(first, second, changed) {
				t.Fatalf("both replace: %v, %v", first, second)
			}
		}
	})
}

// TestCopyBesideCollector copies files whose source is removed at the same time, while their objects
// are collected at once.
func TestCopyBesideCollector(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, s, other *names.Space) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var wg sync.WaitGroup
		var failed error
		wg.Go(func() {
			for ctx.Err() == nil && failed == nil {
				if _, failed = other.Sweep(t.Context(), 3); failed == nil {
					var keys []string
					if keys, failed = other.Loose(t.Context(), time.Now().Add(time.Minute), 2); failed == nil {
						failed = other.Removed(t.Context(), keys)
					}
				}
			}
		})
		for i := range rounds {
			name := fmt.Sprintf("/a%d", i)
			mkdir(t, s, name)
			mkdir(t, s, name+"/b")
			for j := range 5 {
				object(t, s, fmt.Sprintf("%s/b/%d", name, j), 1)
			}
			copied, detached := both(
				func() error { return s.Copy(t.Context(), name, name+"-copy", false, nil) },
				func() error { return other.Detach(t.Context(), name, false) },
			)
			if detached != nil || copied != nil && !errors.Is(copied, fs.ErrNotExist) {
				t.Fatalf("Copy returns %v, and Detach %v", copied, detached)
			}
			if copied != nil {
				continue
			}
			if got := len(tree(t, s, name+"-copy")); got != 7 {
				t.Errorf("the copy has %d nodes", got)
			}
		}
		cancel()
		wg.Wait()
		if failed != nil {
			t.Error(failed)
		}
	})
}

// TestManyChanges makes random changes of the same names at the same time.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, s, other *names.Space) {
		ctx := t.Context()
		all := []string{"/a", "/b", "/a/c", "/b/c", "/a/c/d", "/b/c/d"}
		done := make(chan struct{})
		var wg, watching sync.WaitGroup
		watching.Go(func() {
			for more := true; more; {
				noFlaws(t, s)
				select {
				case <-done:
					more = false
				default:
				}
			}
		})
		for i, s := range []*names.Space{s, other, s, other} {
			wg.Go(func() {
				for n := range 60 {
					one, two := all[(n*7+i)%len(all)], all[(n*n+3*i)%len(all)]
					var errs []error
					switch (n + i) % 7 {
					case 0, 1:
						_, err := s.Mkdir(ctx, one, 0)
						errs = append(errs, err)
					case 2:
						_, err := s.Put(ctx, one+"/f", names.Content{Data: []byte(one), Size: int64(len(one))}, names.Placing{})
						errs = append(errs, err)
					case 3:
						errs = append(errs, s.Rename(ctx, one, two, n%2 == 0))
					case 4:
						errs = append(errs, s.Swap(ctx, one, two))
					case 5:
						errs = append(errs, s.Copy(ctx, one, two+"/copy", false, nil))
					default:
						errs, _ = s.DetachMembers(ctx, one, []string{"c", "d", "f"})
						errs = append(errs, s.Detach(ctx, two, n%3 > 0))
					}
					for _, err := range errs {
						if err != nil && !slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }) {
							t.Errorf("operation %d with %s and %s: %v", (n+i)%7, one, two, err)
						}
					}
				}
			})
		}
		wg.Wait()
		close(done)
		watching.Wait()
		sweep(t, s)
		noFlaws(t, s)
	})
}
