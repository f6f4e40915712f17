package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// made is an FS whose collections are made up while they are listed: collections on
// each level, and files in each of these.
type made struct {
	storage.FS
	collections []int // the number on each level
	files       int
}

// madeInfo takes as much memory as a description from package os.
type madeInfo struct {
	emptyFile
	collection bool
}

func (i *madeInfo) IsDir() bool { return i.collection }

func (i *madeInfo) Mode() fs.FileMode {
	if i.collection {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

func (m *made) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	return &madeInfo{emptyFile: emptyFile{name: path.Base(name)}, collection: true}, nil
}

func (m *made) List(_ context.Context, name string) (storage.Listing, error) {
	level := strings.Count(strings.TrimSuffix(name, "/"), "/")
	l := &madeListing{files: m.files}
	if level < len(m.collections) {
		l.collections = m.collections[level]
	}
	return l, nil
}

type madeListing struct{ collections, files, found int }

func (l *madeListing) Close() error { return nil }

func (l *madeListing) Next(context.Context) (storage.Members, error) {
	const chunk = 1000
	m := &madeMembers{of: l, from: l.found, n: min(chunk, l.collections+l.files-l.found)}
	l.found += m.n
	if l.found == l.collections+l.files {
		return m, io.EOF
	}
	return m, nil
}

type madeMembers struct {
	of      *madeListing
	from, n int
}

func (m *madeMembers) Len() int { return m.n }

func (m *madeMembers) Describe(_ context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	for i := m.from + from; i < m.from+to; i++ {
		info := &madeInfo{emptyFile: emptyFile{name: fmt.Sprintf("%07d", i)}, collection: i < m.of.collections}
		dst = append(dst, storage.Entry{Name: info.name, Info: info})
	}
	return dst
}

// TestWalkMemory: the memory of a walk does not grow with the tree.
func TestWalkMemory(t *testing.T) {
	const limit = 64 << 20 // bytes
	many := sweep.Size(400_000, 1_000_000)
	for _, c := range []struct {
		name    string
		tree    made
		members int
	}{
		{"files in one collection", made{files: many}, many + 1},
		{"collections in one", made{collections: []int{many}}, many + 1},
		{"collections in a thousand", made{collections: []int{1000, many / 1000}}, many + 1001},
	} {
		t.Run(c.name, func(t *testing.T) {
			start, most, n := heap(), uint64(0), 0
			noError(t, visit(t.Context(), &c.tree, "/", tree.Infinite, nil, func(tree.Member) error {
				if n++; n%100_000 == 0 {
					most = max(most, heap())
				}
				return nil
			}))
			if n != c.members {
				t.Errorf("%d members, want %d", n, c.members)
			}
			if most > start+limit {
				t.Errorf("%d MiB held, want %d at most", (most-start)>>20, limit>>20)
			}
			t.Logf("%d KiB held", (int64(most)-int64(start))>>10)
		})
	}
}

// heap returns the bytes in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestWalkHoldsBack: the walk stops finding members if no one takes those that it
// found.
func TestWalkHoldsBack(t *testing.T) {
	const taken, limit = 10, 10_000
	synctest.Test(t, func(t *testing.T) {
		var prepared, deliveries atomic.Int64
		w := &tree.Walk{FS: &made{files: 1_000_000}, Root: "/", Info: &madeInfo{collection: true}, Depth: 1}
		stuck := make(chan struct{})
		w.Prepare = func(_ context.Context, members []tree.Member) func() error {
			prepared.Add(int64(len(members)))
			return func() error {
				if deliveries.Add(1) < taken {
					return nil
				}
				<-stuck
				return errors.New("the client has gone")
			}
		}
		ended := make(chan error)
		go func() { ended <- w.Run(t.Context()) }()
		synctest.Wait()
		if found := prepared.Load(); found < 1000 || found > limit {
			t.Errorf("%d members found, want the walk ahead, by %d at most", found, limit)
		}
		close(stuck)
		if err := <-ended; err == nil {
			t.Error("the delivery's error is lost")
		}
	})
}

// TestWalkSlow: on slow storage many calls run at the same time. The walk takes at most
// four times the time of all calls divided by the number of helpers. One call after another
// would take 32 times as long. The exact time depends on the order in which the helpers
// get their turns.
func TestWalkSlow(t *testing.T) {
	const delay, helpers = time.Millisecond, 32
	for _, c := range []struct {
		name  string
		tree  made
		calls int
	}{
		{"one collection", made{files: 20_000}, 20_002},
		{"a hundred collections", made{collections: []int{100}, files: 100}, 100*102 + 202},
		{"deep", made{collections: []int{10, 10, 10}, files: 10}, 10 + 10*20 + 100*20 + 1000*11},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := latency.New(&c.tree, delay)
				start := time.Now()
				noError(t, visit(t.Context(), slow, "/", tree.Infinite, nil, func(tree.Member) error { return nil }))
				took, ideal := time.Since(start), time.Duration(c.calls)*delay/helpers
				if took > 4*ideal {
					t.Errorf("it took %v, want four times %v at most", took, ideal)
				}
				t.Logf("%v; all calls divided by %d are %v", took, helpers, ideal)
			})
		})
	}
}

// TestWalkOrder: the order is that of a sequential walk, however many helpers there
// are.
func TestWalkOrder(t *testing.T) {
	m := &made{collections: []int{12, 5, 10}, files: 300}
	var want []string
	var below func(name string, level int)
	below = func(name string, level int) {
		want = append(want, path.Clean(name))
		collections := 0
		if level < len(m.collections) {
			collections = m.collections[level]
		}
		for i := collections; i < collections+m.files; i++ {
			want = append(want, fmt.Sprintf("%s%07d", name, i))
		}
		for i := range collections {
			below(fmt.Sprintf("%s%07d/", name, i), level+1)
		}
	}
	below("/", 0)
	for range 3 {
		var got []string
		noError(t, visit(t.Context(), m, "/", tree.Infinite, nil, func(m tree.Member) error {
			got = append(got, m.Name)
			return nil
		}))
		if !slices.Equal(got, want) {
			t.Fatalf("%d members in another order than the %d of one after the other", len(got), len(want))
		}
	}
}

// TestWalkOrderOfWide: a walk enters the collections of a very large one before all of
// that is listed, always at the same place.
func TestWalkOrderOfWide(t *testing.T) {
	m := &made{collections: []int{50_000}, files: 1}
	var first []string
	for range 2 {
		var got []string
		noError(t, visit(t.Context(), m, "/", tree.Infinite, nil, func(m tree.Member) error {
			got = append(got, m.Name)
			return nil
		}))
		if first == nil {
			first = got
		}
		if len(got) != 100_002 || !slices.Equal(got, first) {
			t.Errorf("%d members, then %d, in the same order: %t", len(first), len(got), slices.Equal(got, first))
		}
	}
}

// TestWalkPanics: in whatever goroutine the storage panics, the panic reaches the
// caller.
func TestWalkPanics(t *testing.T) {
	for _, op := range []string{"open", "readdir"} {
		for nth := int64(1); nth < 40; nth += 3 {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				slow := storagetest.Fault{FS: webdav.NewMemFS()}
				build(t, &slow, wide("/src", 40, 2))
				slow.Before = func(called, _ string) error {
					time.Sleep(time.Millisecond) // lets helpers start
					if called == op && calls.Add(1) == nth {
						panic("storage")
					}
					return nil
				}
				defer func() {
					if cause := recover(); cause != "storage" {
						t.Errorf("recovered %v", cause)
					}
				}()
				err := visit(t.Context(), &slow, "/src", tree.Infinite, nil, func(tree.Member) error { return nil })
				t.Errorf("Visit returned %v", err)
			})
		}
	}
}
