package storagetest

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/lock"
)

var lockGrantChecks = []lockCheck{
	{"[RFC4918:S6.2,S7.4] Conflicts", lockConflicts},
	{"[RFC4918:S6.5] Tokens", lockTokens},
	{"[RFC4918:S9.10.6] AllInTheWay", lockAllInTheWay},
	{"FindOrder", lockFindOrder},
	{"FindTree", lockFindTree},
	{"RefusalChangesNothing", lockRefusal},
}

var lockLimitChecks = []lockCheck{
	{"Limit", lockLimit},
}

// These are the depths of the two locks in a case of overlaps.
const (
	zeroZero = iota
	zeroInfinite
	infiniteZero
	infiniteInfinite
)

// overlaps says, for two roots and the depths of the locks there, whether one lock covers the
// root of the other.
var overlaps = []struct {
	name       string
	has, wants string
	want       [4]bool
}{
	{"same", "/a", "/a", [4]bool{true, true, true, true}},
	{"the root collection", "/", "/", [4]bool{true, true, true, true}},
	{"member", "/a", "/a/b", [4]bool{infiniteZero: true, infiniteInfinite: true}},
	{"deep member", "/a", "/a/b/c/d", [4]bool{infiniteZero: true, infiniteInfinite: true}},
	{"member of the root collection", "/", "/a", [4]bool{infiniteZero: true, infiniteInfinite: true}},
	{"parent", "/a/b", "/a", [4]bool{zeroInfinite: true, infiniteInfinite: true}},
	{"ancestor", "/a/b/c/d", "/a", [4]bool{zeroInfinite: true, infiniteInfinite: true}},
	{"the root collection above", "/a/b", "/", [4]bool{zeroInfinite: true, infiniteInfinite: true}},
	{"sibling", "/a/b", "/a/c", [4]bool{}},
	{"longer segment", "/a", "/ab", [4]bool{}},
	{"shorter segment", "/ab/c", "/a", [4]bool{}},
	{"segment that sorts before the slash", "/a", "/a-b", [4]bool{}},
	{"other case", "/a", "/A", [4]bool{}},
	{"other normal form", "/\u00e9", "/e\u0301", [4]bool{}},
}

func lockConflicts(f *lockFixture) {
	for _, c := range overlaps {
		for depths, overlap := range c.want {
			for sharing := range 4 {
				has := lock.Lock{Root: c.has, ZeroDepth: depths <= zeroInfinite, Shared: sharing&1 != 0, Duration: time.Hour}
				wants := lock.Lock{
					Root: c.wants, ZeroDepth: depths == zeroZero || depths == infiniteZero,
					Shared: sharing&2 != 0, Duration: time.Hour,
				}
				first := f.acquire(has)
				if bothShared := sharing == 3; overlap && !bothShared {
					f.refused(wants, first)
				} else {
					f.release(f.acquire(wants))
				}
				f.release(first)
				if f.t.Failed() {
					f.t.Fatalf("case %q: has %+v, wants %+v", c.name, has, wants)
				}
			}
		}
	}
	f.findsTree("/")
}

func lockTokens(f *lockFixture) {
	seen := map[string]bool{}
	for range 100 {
		l := f.acquire(lock.Lock{Root: "/a", Duration: time.Hour})
		if seen[l.Token] {
			f.t.Fatalf("token %s was returned twice", l.Token)
		}
		seen[l.Token] = true
		f.release(l)
	}
	// A client can't choose the token or the time of expiry.
	l := f.acquire(lock.Lock{Root: "/a", Token: "urn:mine", Expires: f.now.Add(time.Minute), Duration: time.Hour})
	if l.Token == "urn:mine" {
		f.t.Error("Acquire took the token of wanted")
	}
}

func lockAllInTheWay(f *lockFixture) {
	c := f.acquire(lock.Lock{Root: "/a/c", Shared: true, Duration: time.Hour})
	top := f.acquire(lock.Lock{Root: "/", Shared: true, Duration: lock.Infinite})
	f.acquire(lock.Lock{Root: "/", Shared: true, ZeroDepth: true, Duration: time.Hour})
	b1 := f.acquire(lock.Lock{Root: "/a/b", Shared: true, Duration: time.Hour, Principal: "one"})
	a := f.acquire(lock.Lock{Root: "/a", Shared: true, ZeroDepth: true, Duration: time.Hour})
	b2 := f.acquire(lock.Lock{Root: "/a/b", Shared: true, Duration: time.Hour, Principal: "two"})
	x := f.acquire(lock.Lock{Root: "/x", Duration: time.Hour, ZeroDepth: true, Shared: true})

	f.refused(lock.Lock{Root: "/a", Duration: time.Hour}, top, a, b1, b2, c)
	f.refused(lock.Lock{Root: "/a", ZeroDepth: true, Duration: time.Hour}, top, a)
	f.refused(lock.Lock{Root: "/x/y", Duration: time.Hour}, top)
	f.release(top)
	f.acquire(lock.Lock{Root: "/x/y", Duration: time.Hour})
	f.refused(lock.Lock{Root: "/x", ZeroDepth: true, Duration: time.Hour}, x)
}

func lockFindOrder(f *lockFixture) {
	locks := map[string]lock.Lock{}
	for _, root := range []string{"/a/b", "/a-b", "/", "/a/b/c", "/a", "/b", "/a/B"} {
		locks[root] = f.acquire(lock.Lock{Root: root, Shared: true, Duration: time.Hour})
	}
	var same []lock.Lock
	for i := range 5 {
		same = append(same, f.acquire(lock.Lock{
			Root: "/b/same", Shared: true, ZeroDepth: i%2 == 0, Duration: time.Hour, Principal: strconv.Itoa(9 - i),
		}))
	}
	same[1] = f.renew(same[1], 2*time.Hour) // A renewed lock keeps its place.

	f.finds("/", locks["/"])
	f.finds("/a/b/c", locks["/"], locks["/a"], locks["/a/b"], locks["/a/b/c"])
	f.finds("/a/b/x/y", locks["/"], locks["/a"], locks["/a/b"])
	f.finds("/a-b", locks["/"], locks["/a-b"])
	f.finds("/b/same", append([]lock.Lock{locks["/"], locks["/b"]}, same...)...)
	f.finds("/b/same/below", locks["/"], locks["/b"], same[1], same[3])
	f.findsTree("/a", locks["/"], locks["/a"], locks["/a/B"], locks["/a/b"], locks["/a/b/c"])
	f.findsTree("/", append([]lock.Lock{
		locks["/"], locks["/a"], locks["/a-b"], locks["/a/B"], locks["/a/b"], locks["/a/b/c"], locks["/b"],
	}, same...)...)
}

func lockFindTree(f *lockFixture) {
	f.finds("/")
	f.findsTree("/")
	f.findsTree("/a/b")
	a := f.acquire(lock.Lock{Root: "/a", ZeroDepth: true, Duration: time.Hour})
	b := f.acquire(lock.Lock{Root: "/a/b/c", Duration: time.Hour})
	f.finds("/a", a)
	f.finds("/a/b")
	f.findsTree("/a/b", b)
	f.findsTree("/a", a, b)
	f.findsTree("/a/b/c/d", b)
	f.findsTree("/a/b2")
	f.findsTree("/ab")
}

// lockRefusal checks that a refused call changes nothing.
func lockRefusal(f *lockFixture) {
	a := f.acquire(lock.Lock{Root: "/a", Duration: time.Hour, OwnerXML: "one", Principal: "p"})
	f.refused(lock.Lock{Root: "/a/b", Duration: lock.Infinite, OwnerXML: "two", Principal: "q"}, a)
	f.refused(lock.Lock{Root: "/", Duration: lock.Infinite, Shared: true}, a)
	for _, token := range []string{"", "urn:uuid:00000000-0000-4000-8000-000000000000", a.Token + "0"} {
		if err := f.Release(f.ctx, f.now, token); !errors.Is(err, webdav.ErrNoSuchLock) {
			f.t.Errorf("Release(%q): %v, want webdav.ErrNoSuchLock", token, err)
		}
		if _, err := f.Renew(f.ctx, f.now, token, time.Hour); !errors.Is(err, webdav.ErrNoSuchLock) {
			f.t.Errorf("Renew(%q): %v, want webdav.ErrNoSuchLock", token, err)
		}
	}
	f.releaseTree("/b")
	f.releaseTree("/a/b")
	f.releaseTree("/a2")
	f.findsTree("/", a)
}

func lockLimit(f *lockFixture) {
	member := func(principal string, i int) lock.Lock {
		return lock.Lock{Root: fmt.Sprintf("/%s%d", principal, i), Duration: time.Hour, Principal: principal}
	}
	tooMany := func(wanted lock.Lock) {
		f.t.Helper()
		if got, err := f.Acquire(f.ctx, f.now, wanted); !errors.Is(err, lock.ErrLimit) {
			f.t.Fatalf("Acquire returned %+v, %v, want lock.ErrLimit", got, err)
		}
		f.finds(wanted.Root)
	}
	for _, principal := range []string{"", "somebody"} {
		var last lock.Lock
		for i := range f.suite.Limit {
			last = f.acquire(member(principal, i))
		}
		tooMany(member(principal, -1))
		f.release(last)
		f.renew(f.acquire(member(principal, -1)), time.Minute)
		tooMany(member(principal, -2))
	}
	f.later(time.Minute) // Now one lock of each principal has expired.
	for _, principal := range []string{"", "somebody"} {
		f.acquire(member(principal, -3))
		tooMany(member(principal, -4))
	}
	f.releaseTree("/")
	f.acquire(member("", 0))
}
