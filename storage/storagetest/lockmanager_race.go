package storagetest

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage/lock"
)

const (
	lockWorkers = 32
	lockRounds  = 4
	// lockFights is how often the workers start with no locks. If all shared or all
	// exclusive locks are starved, they start again, up to mostFights times.
	lockFights = 10
	mostFights = 200
)

var lockRaceChecks = []lockCheck{
	{"Fight", lockFight},
}

// lockOracle tracks the locks that exist for certain: from the return of Acquire until the
// call of Release.
type lockOracle struct {
	mu      sync.Mutex
	there   []lock.Lock
	granted [2]int // exclusive, shared
	refused int
}

func lockFight(f *lockFixture) {
	oracle := &lockOracle{}
	var group, readers sync.WaitGroup
	var over atomic.Bool
	for range 2 {
		readers.Go(func() {
			for !over.Load() && !f.t.Failed() {
				f.watch()
				runtime.Gosched()
			}
		})
	}
	var random [lockWorkers]*rand.Rand
	for worker := range random {
		random[worker] = rand.New(rand.NewPCG(4918, uint64(worker)))
	}
	for fight := 0; fight < lockFights || fight < mostFights && !oracle.competed(); fight++ {
		for _, random := range random {
			group.Go(func() { f.fightRounds(oracle, random) })
		}
		group.Wait()
	}
	for _, random := range random {
		group.Go(func() { f.fightFor(oracle, wantedLock(random)) }) // Some locks must remain in the end.
	}
	group.Wait()
	over.Store(true)
	readers.Wait()
	f.t.Logf("%d exclusive locks, %d shared, %d refused", oracle.granted[0], oracle.granted[1], oracle.refused)
	if !oracle.competed() {
		f.t.Error("the workers did not compete: they need exclusive, shared and refused locks")
	}
	f.holdsExactly(oracle.there)
	if f.suite.Reopen != nil {
		f.reopen()
		f.holdsExactly(oracle.there)
	}
}

// fightRounds acquires and releases locks.
func (f *lockFixture) fightRounds(oracle *lockOracle, random *rand.Rand) {
	for range lockRounds {
		l, ok := f.fightFor(oracle, wantedLock(random))
		if !ok {
			continue
		}
		runtime.Gosched() // Let other workers meet this lock.
		if random.IntN(2) == 0 {
			f.mustRenew(l)
		}
		oracle.remove(l)
		f.mustRelease(l)
	}
}

// wantedLock returns one of the locks that the workers compete for.
func wantedLock(random *rand.Rand) lock.Lock {
	names := []string{"/", "/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/e/f"}
	return lock.Lock{
		Root:      names[random.IntN(len(names))],
		ZeroDepth: random.IntN(3) > 0,
		Shared:    random.IntN(3) == 0,
		Duration:  time.Hour,
	}
}

// fightFor tries to acquire wanted. It checks that the result is consistent with the other
// locks.
func (f *lockFixture) fightFor(oracle *lockOracle, wanted lock.Lock) (got lock.Lock, granted bool) {
	got, err := f.Acquire(f.ctx, f.now, wanted)
	if conflict, ok := errors.AsType[*lock.ConflictError](err); ok {
		if !slices.ContainsFunc(conflict.Locks, func(l lock.Lock) bool { return inConflict(l, wanted) }) {
			f.t.Errorf("%+v was refused because of %+v", wanted, conflict.Locks)
		}
		oracle.mu.Lock()
		oracle.refused++
		oracle.mu.Unlock()
		return lock.Lock{}, false
	}
	if err != nil {
		f.t.Errorf("Acquire(%+v): %v", wanted, err)
		return lock.Lock{}, false
	}
	for _, other := range oracle.add(got) {
		f.t.Errorf("%+v was granted while %+v existed", got, other)
	}
	covering, err := f.Find(f.ctx, f.now, got.Root, false)
	if err != nil || !slices.ContainsFunc(covering, func(l lock.Lock) bool { return sameLock(l, got) }) {
		f.t.Errorf("Find(%q) returned %+v, %v without %+v", got.Root, covering, err, got)
	}
	return got, true
}

// watch checks that no two locks that exist at the same time conflict.
func (f *lockFixture) watch() {
	there, err := f.Find(f.ctx, f.now, "/", true)
	if err != nil {
		f.t.Errorf("Find: %v", err)
	}
	for i, l := range there {
		for _, other := range there[:i] {
			if inConflict(l, other) {
				f.t.Errorf("%+v and %+v exist at the same time", other, l)
			}
		}
	}
}

func (f *lockFixture) mustRenew(l lock.Lock) {
	if _, err := f.Renew(f.ctx, f.now, l.Token, l.Duration); err != nil {
		f.t.Errorf("Renew of %+v: %v", l, err)
	}
}

func (f *lockFixture) mustRelease(l lock.Lock) {
	if err := f.Release(f.ctx, f.now, l.Token); err != nil {
		f.t.Errorf("Release of %+v: %v", l, err)
	}
}

// holdsExactly checks that exactly the locks want exist, in any order.
func (f *lockFixture) holdsExactly(want []lock.Lock) {
	f.t.Helper()
	got, err := f.Find(f.ctx, f.now, "/", true)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(got) != len(want) {
		f.t.Errorf("%d locks exist, want %d", len(got), len(want))
	}
	for _, l := range want {
		if !slices.ContainsFunc(got, func(other lock.Lock) bool { return sameLock(l, other) }) {
			f.t.Errorf("lost: %+v", l)
		}
	}
}

// add adds l and returns the locks that conflict with it.
func (o *lockOracle) add(l lock.Lock) (wrong []lock.Lock) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, other := range o.there {
		if inConflict(other, l) {
			wrong = append(wrong, other)
		}
	}
	o.there = append(o.there, l)
	if l.Shared {
		o.granted[1]++
	} else {
		o.granted[0]++
	}
	return wrong
}

// competed reports whether exclusive and shared locks were granted, and some were refused.
func (o *lockOracle) competed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.granted[0] > 0 && o.granted[1] > 0 && o.refused > 0
}

func (o *lockOracle) remove(l lock.Lock) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.there = slices.DeleteFunc(o.there, func(other lock.Lock) bool { return other.Token == l.Token })
}
