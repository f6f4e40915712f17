package pgstate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// claimOracle knows the claims that exist for certain: from the return of Claim until the call of End.
type claimOracle struct {
	mu    sync.Mutex
	held  map[int][]cluster.Scope
	next  int
	wrong []string
}

func (o *claimOracle) add(scopes []cluster.Scope) (id int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, held := range o.held {
		for _, a := range held {
			for _, b := range scopes {
				if overlaps(a, b) {
					o.wrong = append(o.wrong, fmt.Sprintf("%+v and %+v are held at the same time", a, b))
				}
			}
		}
	}
	o.next++
	o.held[o.next] = scopes
	return o.next
}

func (o *claimOracle) remove(id int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.held, id)
}

// plain is the independent folding of the names that the test uses.
var plain = strings.NewReplacer("e\u0301", "\u00e9", "E\u0301", "\u00e9", "\u00c9", "\u00e9", "A", "a", "B", "b")

func overlaps(a, b cluster.Scope) bool { return inside(a, b.Name) || inside(b, a.Name) }

func inside(s cluster.Scope, name string) bool {
	of, in := strings.TrimSuffix(plain.Replace(s.Name), "/")+"/", strings.TrimSuffix(plain.Replace(name), "/")+"/"
	rest, below := strings.CutPrefix(in, of)
	return below && (rest == "" || s.Tree || s.Members && strings.Count(rest, "/") == 1)
}

// TestClaimsOracle: three nodes with eleven workers each claim random scopes. No two claims that
// overlap are held at the same time, and the database finds no deadlock.
func TestClaimsOracle(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	segments := []string{"a", "A", "b", "\u00e9", "e\u0301", "E\u0301", "\u00c9"}
	oracle := &claimOracle{held: make(map[int][]cluster.Scope)}
	var granted, refused atomic.Int64
	var workers sync.WaitGroup
	var nodes []*DB
	for i := range 3 {
		timing := quick()
		timing.Claim = 100 * time.Millisecond
		nodes = append(nodes, member(t, dsn, Options{Name: fmt.Sprint("node ", i), Timing: timing}))
	}
	for i := range 33 {
		random := rand.New(rand.NewPCG(17, uint64(i)))
		node := nodes[i%3].Cluster()
		workers.Go(func() {
			for range 12 {
				scopes := make([]cluster.Scope, 1+random.IntN(3))
				for j := range scopes {
					for range random.IntN(4) {
						scopes[j].Name += "/" + segments[random.IntN(len(segments))]
					}
					if scopes[j].Name == "" {
						scopes[j].Name = "/"
					}
					scopes[j].Tree, scopes[j].Members = random.IntN(3) == 0, random.IntN(3) == 0
				}
				c, err := node.Claim(t.Context(), cluster.Work{Scopes: scopes})
				if errors.Is(err, cluster.ErrClaimed) {
					refused.Add(1)
					continue
				}
				if err != nil {
					t.Errorf("Claim of %+v: %v", scopes, err)
					return
				}
				granted.Add(1)
				id := oracle.add(scopes)
				runtime.Gosched() // Let others meet the claim.
				oracle.remove(id)
				if err := c.End(t.Context(), nil); err != nil {
					t.Errorf("End: %v", err)
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d claims, %d refused", granted.Load(), refused.Load())
	for _, wrong := range oracle.wrong {
		t.Error(wrong)
	}
	if granted.Load() == 0 || refused.Load() == 0 {
		t.Error("the workers did not compete")
	}
	if n := count(t, nodes[0], "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
	if n := count(t, nodes[0], "SELECT (SELECT count(*) FROM work) + (SELECT count(*) FROM claims)"); n > 0 {
		t.Errorf("%d rows are left", n)
	}
}

// TestDeepNames: names with many segments are claimed by their ancestors, and long ones as a whole.
func TestDeepNames(t *testing.T) {
	t.Parallel()
	db := member(t, pgtest.Database(t), Options{})
	deep := strings.Repeat("/d", 100)
	long := "/" + strings.Repeat("\u4f8b", 20_000)
	first := claimed(t, db, cluster.Work{Scopes: []cluster.Scope{{Name: deep}, {Name: long + "1"}}})
	for _, s := range []cluster.Scope{{Name: deep + "/e"}, {Name: strings.Repeat("/d", 40)}, {Name: long + "1", Members: true}, {Name: "/", Members: true}} {
		if c, err := db.Cluster().Claim(t.Context(), cluster.Work{Scopes: []cluster.Scope{s}}); !errors.Is(err, cluster.ErrClaimed) {
			t.Errorf("%.20s: %v, %v, want ErrClaimed", s.Name, c, err)
		}
	}
	second := claimed(t, db, cluster.Work{Scopes: []cluster.Scope{{Name: strings.Repeat("/d", 20)}, {Name: long + "2"}, {Name: long, Tree: true}}})
	end(t, first)
	end(t, second)
	end(t, claimed(t, db, tree("/")))
}

// TestPlacing: only names that a change with a hiding record has claimed may be hidden.
func TestPlacing(t *testing.T) {
	dsn := pgtest.Database(t)
	hides := func(record []byte) bool { return string(record) == "hides" }
	a, b := member(t, dsn, Options{Hides: hides}), member(t, dsn, Options{Hides: hides})
	c := claimed(t, a, tree("/a"))
	placing := func(name string, want bool) {
		t.Helper()
		if got, err := b.Cluster().Placing(t.Context(), name); err != nil || got != want {
			t.Errorf("Placing(%q): %v, %v, want %v", name, got, err, want)
		}
	}
	save := func(record string) {
		t.Helper()
		if err := a.Journal().SaveRecord(t.Context(), c.ID(), []byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	placing("/a/x", false)
	save("shows")
	placing("/a/x", false)
	save("hides")
	placing("/A/x/y", true)
	placing("/a", true)
	placing("/ab", false)
	placing("/", false)
	if err := a.Journal().DeleteRecord(t.Context(), c.ID()); err != nil {
		t.Fatal(err)
	}
	placing("/a/x", false)
	end(t, c)
	held := claimed(t, a, cluster.Work{Scopes: []cluster.Scope{{Name: "/a", Tree: true}}, Record: []byte("hides")})
	placing("/a/x", true)
	end(t, held)
	placing("/a/x", false)
}

// TestSilentHolder: a claim of a node that does not renew its lease is another error than that of
// one that works.
func TestSilentHolder(t *testing.T) {
	dsn := pgtest.Database(t)
	timing := quick()
	timing.Renew, timing.Silent, timing.Claim = 10*time.Millisecond, 3, 20*time.Millisecond
	dead := open(t, dsn, Options{})
	stop := run(t, dead, nil)
	held := claimed(t, dead, tree("/a"))
	stop()
	db := member(t, dsn, Options{Timing: timing})
	eventually(t, "the holder looks silent", func() bool {
		_, err := db.Cluster().Claim(t.Context(), tree("/a/b"))
		return errors.Is(err, cluster.ErrSilent)
	})
	end(t, held) // It was only slow.
	end(t, claimed(t, db, tree("/a/b")))
}
