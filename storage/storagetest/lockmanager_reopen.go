package storagetest

import (
	"time"

	"github.com/davd/davd/storage/lock"
)

var lockReopenChecks = []lockCheck{
	{"ReopenKeepsAll", lockReopenKeeps},
	{"ReopenKeepsOddNames", lockReopenNames},
	{"ReopenKeepsChanges", lockReopenChanges},
	{"ReopenAfterExpiry", lockReopenExpired},
}

func (f *lockFixture) reopen() { f.Manager = f.suite.Reopen(f.t, f.Manager) }

// oddOwner is valid content of a DAV:owner element that a store might damage.
const oddOwner = "\r\n\t<D:href xmlns:D='DAV:' a=\"&quot;\">mailto:Zoë%20O'Neil@例え.jp</D:href>" +
	"<!-- e\u0301 \u00e9 \u202e \U0001F512 --><![CDATA[\\x00 \\' ;-- $1 ?]]>&#10;  "

// oddNames are names that a store might damage. Names are bytes.
var oddNames = []string{
	"/", "/ ", "/a ", "/a", "/A", "/\u00e9", "/e\u0301", "/%41", "/%", "/_", "/\\", "/'; --", "/\"", "/a\nb", "/a\r",
	"/\t", "/\xff", "/\xfe\xff/\x80", "/a\x00b", "/a\x00", "/例え/🔒", "/\U0010ffff", "/*?<>|:", "/?", "/$1", "/a/ /b",
}

func lockReopenKeeps(f *lockFixture) {
	top := f.acquire(lock.Lock{
		Root: "/", ZeroDepth: true, Shared: true, OwnerXML: oddOwner, Principal: "Zoë\n'\"\\", Duration: lock.Infinite,
	})
	second := f.acquire(lock.Lock{Root: "/a", Shared: true, Principal: "z", Duration: 90 * time.Second})
	third := f.acquire(lock.Lock{Root: "/a", Shared: true, Principal: "a", Duration: 1500 * time.Millisecond})
	fourth := f.acquire(lock.Lock{Root: "/a", Shared: true, Principal: "m", Duration: (1<<32 - 1) * time.Second})
	b := f.acquire(lock.Lock{Root: "/b", OwnerXML: oddOwner + oddOwner, Duration: time.Hour})
	for range 2 {
		f.reopen()
		f.findsTree("/", top, second, third, fourth, b)
	}
	f.refused(lock.Lock{Root: "/b", Shared: true}, b)
	f.refused(lock.Lock{Root: "/"}, top, second, third, fourth, b)
	top = f.renew(top, time.Hour)
	f.release(second)
	fifth := f.acquire(lock.Lock{Root: "/a", Shared: true, Duration: time.Hour})
	f.reopen()
	f.findsTree("/", top, third, fourth, fifth, b)
}

func lockReopenNames(f *lockFixture) {
	locks := map[string]lock.Lock{}
	for _, name := range oddNames {
		locks[name] = f.acquire(lock.Lock{Root: name, ZeroDepth: true, Duration: time.Hour})
	}
	f.reopen()
	for _, name := range oddNames {
		f.finds(name, locks[name])
	}
	for _, name := range oddNames {
		f.release(locks[name])
	}
	f.reopen()
	f.findsTree("/")
}

func lockReopenChanges(f *lockFixture) {
	a := f.acquire(lock.Lock{Root: "/a", Duration: time.Minute})
	b := f.acquire(lock.Lock{Root: "/b", Duration: lock.Infinite})
	c := f.acquire(lock.Lock{Root: "/c", Duration: time.Minute})
	tree := f.acquire(lock.Lock{Root: "/tree/1/2", Duration: time.Minute})
	a = f.renew(a, lock.Infinite)
	b = f.renew(b, time.Hour)
	f.release(c)
	f.releaseTree("/tree")
	f.reopen()
	f.findsTree("/", a, b)
	f.gone(c)
	f.gone(tree)
	f.later(time.Hour)
	f.findsTree("/", a)
}

// lockReopenExpired checks that an expired lock doesn't come back, and doesn't conflict with
// the lock that was granted in its place.
func lockReopenExpired(f *lockFixture) {
	a := f.acquire(lock.Lock{Root: "/a/b", Duration: time.Minute})
	f.later(time.Minute)
	a2 := f.acquire(lock.Lock{Root: "/a", Duration: time.Hour})
	f.reopen()
	f.findsTree("/", a2)
	f.gone(a)
	f.later(-time.Minute) // A clock may be set back.
	f.reopen()
	f.findsTree("/", a2)
	f.later(2 * time.Hour)
	f.reopen()
	f.findsTree("/")
	f.gone(a2)
	f.acquire(lock.Lock{Root: "/", Duration: time.Hour})
}
