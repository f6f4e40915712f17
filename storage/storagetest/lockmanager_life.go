package storagetest

import (
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/lock"
)

var lockLifeChecks = []lockCheck{
	{"[RFC4918:S6.6] Expiry", lockExpiry},
	{"[RFC4918:S6.6] ExpiryOfMany", lockExpiryOfMany},
	{"[RFC4918:S10.7] Infinite", lockInfinite},
	{"[RFC4918:S9.10.2] Renew", lockRenew},
	{"[RFC4918:S9.11] Release", lockRelease},
	{"[RFC4918:S9.6.1] ReleaseTree", lockReleaseTree},
}

var lockSystemChecks = []lockCheck{
	{"LockSystem", lockSystem},
	{"LockSystemHolds", lockSystemHolds},
}

func lockExpiry(f *lockFixture) {
	a := f.acquire(lock.Lock{Root: "/a", Duration: time.Minute})
	if a.Expires.Location() != time.UTC {
		f.t.Errorf("Expires is in %s, want UTC", a.Expires.Location())
	}
	b := f.acquire(lock.Lock{Root: "/b", Duration: time.Hour})
	f.now = a.Expires.Add(-time.Nanosecond)
	f.finds("/a/x", a)
	f.refused(lock.Lock{Root: "/a", Duration: time.Minute}, a)
	f.now = a.Expires
	f.finds("/a/x")
	f.findsTree("/", b)
	f.gone(a)
	again := f.acquire(lock.Lock{Root: "/a", Duration: time.Minute})
	f.refused(lock.Lock{Root: "/", Duration: time.Minute}, again, b)
	f.gone(a)

	c := f.acquire(lock.Lock{Root: "/c", Duration: 0})
	f.finds("/c")
	f.gone(c)
}

// lockExpiryOfMany lets locks expire in another order than that of their creation.
func lockExpiryOfMany(f *lockFixture) {
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	start := f.now
	locks := map[int]lock.Lock{} // by the minute in which they end
	for _, end := range []int{4, 1, 7, 3, 6, 2, 5} {
		locks[end] = f.acquire(lock.Lock{Root: "/a", Shared: true, Duration: minutes(end)})
	}
	locks[8] = f.renew(locks[2], minutes(8))
	f.release(locks[6])
	for minute := range 9 {
		f.now = start.Add(minutes(minute))
		var alive []lock.Lock
		for _, end := range []int{4, 1, 7, 3, 8, 5} { // in the order of creation
			if end > minute {
				alive = append(alive, locks[end])
			} else {
				f.gone(locks[end])
			}
		}
		f.finds("/a", alive...)
	}
}

func lockInfinite(f *lockFixture) {
	a := f.acquire(lock.Lock{Root: "/a", Duration: lock.Infinite})
	f.later(200 * 365 * 24 * time.Hour)
	f.finds("/a", a)
	a = f.renew(a, time.Second)
	a = f.renew(a, lock.Infinite)
	f.later(time.Hour)
	f.finds("/a", a)
	f.release(a)
	f.finds("/a")
}

func lockRenew(f *lockFixture) {
	a := f.acquire(lock.Lock{
		Root: "/a", Duration: time.Minute, OwnerXML: "<o/>", Principal: "p", Shared: true, ZeroDepth: true,
	})
	f.later(59 * time.Second)
	a = f.renew(a, time.Minute)
	f.finds("/a", a)
	f.later(59 * time.Second)
	f.finds("/a", a)
	a = f.renew(a, time.Second)
	f.later(time.Second)
	f.finds("/a")
	f.gone(a)
}

func lockRelease(f *lockFixture) {
	a := f.acquire(lock.Lock{Root: "/a", Duration: time.Minute, Shared: true})
	b := f.acquire(lock.Lock{Root: "/a", Duration: lock.Infinite, Shared: true})
	f.release(a)
	f.gone(a)
	f.finds("/a", b)
	f.refused(lock.Lock{Root: "/a", Duration: time.Minute}, b)
	f.release(b)
	f.gone(b)
	f.release(f.acquire(lock.Lock{Root: "/a", Duration: time.Minute}))
}

func lockReleaseTree(f *lockFixture) {
	shared := func(root string) lock.Lock {
		return f.acquire(lock.Lock{Root: root, Shared: true, Duration: time.Hour})
	}
	top, a, ab, abc := shared("/"), shared("/a"), shared("/a/b"), shared("/a/b/c")
	ab2, abX, aC := shared("/a/b"), shared("/a/b-x"), shared("/a/c")
	f.releaseTree("/a/b/c/d")
	f.findsTree("/", top, a, ab, ab2, abX, abc, aC)
	f.releaseTree("/a/b")
	f.findsTree("/", top, a, abX, aC)
	for _, l := range []lock.Lock{ab, abc, ab2} {
		f.gone(l)
	}
	f.releaseTree("/a/b")
	f.releaseTree("/")
	f.findsTree("/")
	for _, l := range []lock.Lock{top, a, abX, aC} {
		f.gone(l)
	}
}

// lockSystem checks the methods of webdav.LockSystem except Confirm.
func lockSystem(f *lockFixture) {
	token, err := f.Create(f.now, webdav.LockDetails{Root: "a//b/", Duration: time.Minute, OwnerXML: "<o/>", ZeroDepth: true})
	if err != nil {
		f.t.Fatal(err)
	}
	want := lock.Lock{
		Token: token, Root: "/a/b", ZeroDepth: true, OwnerXML: "<o/>",
		Created: f.now.Truncate(time.Microsecond), Duration: time.Minute, Expires: f.expires(time.Minute),
	}
	f.findsTree("/", want)
	f.refused(lock.Lock{Root: "/a/b", Shared: true}, want)
	if _, err := f.Create(f.now, webdav.LockDetails{Root: "/a", Duration: -1}); err != webdav.ErrLocked { //nolint:errorlint // x/net compares so
		f.t.Errorf("Create above a lock: %v, want webdav.ErrLocked itself", err)
	}
	details, err := f.Refresh(f.now, token, time.Hour)
	if want := (webdav.LockDetails{Root: "/a/b", Duration: time.Hour, OwnerXML: "<o/>", ZeroDepth: true}); err != nil || details != want {
		f.t.Errorf("Refresh returned %+v, %v, want %+v", details, err, want)
	}
	f.later(time.Hour)
	if _, err := f.Refresh(f.now, token, time.Hour); err != webdav.ErrNoSuchLock { //nolint:errorlint // x/net compares so
		f.t.Errorf("Refresh of an expired lock: %v, want webdav.ErrNoSuchLock itself", err)
	}
	if err := f.Unlock(f.now, token); err != webdav.ErrNoSuchLock { //nolint:errorlint // x/net compares so
		f.t.Errorf("Unlock of an expired lock: %v, want webdav.ErrNoSuchLock itself", err)
	}
}

// lockSystemHolds checks that Confirm holds locks until they are released.
func lockSystemHolds(f *lockFixture) {
	token, err := f.Create(f.now, webdav.LockDetails{Root: "/a", Duration: time.Minute})
	if err != nil {
		f.t.Fatal(err)
	}
	condition := webdav.Condition{Token: token}
	confirm := func(name0, name1 string, want error) (release func()) {
		f.t.Helper()
		release, err := f.Confirm(f.now, name0, name1, condition)
		if err != want || (err == nil) != (release != nil) { //nolint:errorlint // x/net compares so
			f.t.Fatalf("Confirm(%q, %q): %v, want %v itself", name0, name1, err, want)
		}
		return release
	}
	confirm("/b", "", webdav.ErrConfirmationFailed)
	confirm("/a", "/b", webdav.ErrConfirmationFailed)
	release := confirm("/a/b", "/a/c", nil)
	confirm("/a/b", "", webdav.ErrConfirmationFailed)
	if err := f.Unlock(f.now, token); err != webdav.ErrLocked { //nolint:errorlint // x/net compares so
		f.t.Errorf("Unlock of a held lock: %v, want webdav.ErrLocked itself", err)
	}
	if _, err := f.Refresh(f.now, token, time.Hour); err != webdav.ErrLocked { //nolint:errorlint // x/net compares so
		f.t.Errorf("Refresh of a held lock: %v, want webdav.ErrLocked itself", err)
	}
	f.later(2 * time.Minute)                                                                                       // held, it does not expire
	if _, err := f.Create(f.now, webdav.LockDetails{Root: "/a", Duration: time.Minute}); err != webdav.ErrLocked { //nolint:errorlint // x/net compares so
		f.t.Errorf("Create in place of a held lock: %v, want webdav.ErrLocked itself", err)
	}
	release()
	confirm("/a", "", webdav.ErrConfirmationFailed)
	f.acquire(lock.Lock{Root: "/a", Duration: time.Minute})
}
