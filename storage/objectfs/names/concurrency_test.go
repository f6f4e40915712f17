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

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/objectfs/names/namestest"
	"github.com/davd/davd/storage/storagetest/pgtest"
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

// holding locks the file /a/f in a transaction of db until release is called.
func holding(t *testing.T, db state) (release func()) {
	t.Helper()
	held, over, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- db.Base().Change(t.Context(), false, func(tx tables.Tx) error {
			_, err := tx.Exec(t.Context(), "SELECT FROM entries WHERE fold = 'f' AND parent = (SELECT id FROM entries WHERE fold = 'a') FOR UPDATE")
			close(held)
			<-over
			return err
		})
	}()
	<-held
	return func() {
		close(over)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// waiting returns how many transactions wait for others.
func waiting(tb testing.TB, db names.Database) (n int) {
	tb.Helper()
	err := tables.Each(tb.Context(), db.Base().Reader(), func(rows tables.Rows) error { return rows.Scan(&n) },
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// TestOppositeMoves: two moves of the same names wait in the same order, so that the database finds no
// deadlock.
func TestOppositeMoves(t *testing.T) {
	t.Parallel()
	place := pgtest.Database(t)
	db, holder := openPostgreSQL(t, place), openPostgreSQL(t, place)
	s := space(t, db)
	mkdir(t, s, "/a")
	mkdir(t, s, "/b")
	put(t, s, "/a/f", "a")
	put(t, s, "/b/f", "b")
	release := holding(t, holder)
	ended := make(chan error, 2)
	go func() { ended <- s.Rename(t.Context(), "/a/f", "/b/f", true) }()
	for waiting(t, holder) < 1 {
		continue
	}
	go func() { ended <- s.Rename(t.Context(), "/b/f", "/a/f", true) }()
	for waiting(t, holder) < 2 {
		continue
	}
	release()
	// Without a claim, the second one does not see what the first one has placed while it waited.
	first, second := <-ended, <-ended
	if first != nil && second != nil || ignore(errors.Join(first, second), fs.ErrNotExist) != nil {
		t.Errorf("the moves return %v and %v", first, second)
	}
	if stats := cluster.Of(db).Stats(); stats.Errors > 0 {
		t.Errorf("%d errors of the database", stats.Errors)
	}
	namestest.Consistent(t, db)
}

// TestBusyName: a change waits for another one of the same name, but not for ever. The error then says that it
// can be repeated, and nothing has changed.
func TestBusyName(t *testing.T) {
	t.Parallel()
	place := pgtest.Database(t)
	holder := openPostgreSQL(t, place)
	s := space(t, holder)
	mkdir(t, s, "/a")
	put(t, s, "/a/f", "old")
	impatient := timing()
	impatient.LockWait = 20 * time.Millisecond
	other := space(t, openNode(t, place, impatient))
	release := holding(t, holder)
	_, err := other.Put(t.Context(), "/a/f", names.Content{Data: []byte("new"), Size: 3}, names.Placing{})
	fails(t, err, storage.ErrUnavailable)
	has(t, s, "/a", "/a/f=old")
	release()
	put(t, other, "/a/f", "new")
	has(t, s, "/a", "/a/f=new")
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
