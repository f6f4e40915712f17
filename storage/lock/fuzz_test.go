package lock_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/lock"
)

// fuzzLimit is how many locks a principal may have in FuzzSystem.
const fuzzLimit = 4

var fuzzNames = []string{"/", "/a", "/a/b", "/a/b/c", "/a-b", "/ab", "/b", "/b/\xff"}

// FuzzSystem makes calls to a System, whose Store may fail and which may be restarted,
// and the same calls to a list that is searched from end to end. Each byte pair is a
// call and its arguments.
func FuzzSystem(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x03\x00\x00\x0a\x04\x01\x05\x00"))
	f.Add([]byte("\x00\x48\x00\x49\x00\x4a\x01\x02\x06\x05\x01\x01\x07\x00\x03\x02\x00\x02"))
	f.Add([]byte("\x00\x09\x06\x02\x00\x01\x08\x00\x07\x00\x02\x00\x00\x02\x08\x00\x03\x00"))
	f.Add([]byte("\x00\x80\x00\xc1\x00\x82\x00\xc3\x00\x84\x00\xc5\x06\x03\x02\x01\x04\x01\x02\x00\x07\x01"))
	f.Add([]byte("\x00\x01\x05\x00\x06\x07\x02\x00\x00\x01\x05\x01\x06\x07\x00\x01\x03\x01\x05\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, calls []byte) { runModel(t, calls[:min(len(calls), 400)]) })
}

// TestSystemLikeModel is FuzzSystem with the same calls at each run.
func TestSystemLikeModel(t *testing.T) {
	for seed := range byte(100) {
		calls := make([]byte, 400)
		random := rand.NewChaCha8([32]byte{seed})
		_, _ = random.Read(calls) // it never fails
		runModel(t, calls)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func runModel(t *testing.T, calls []byte) {
	t.Helper()
	m := newModel(t)
	for ; len(calls) >= 2 && !t.Failed(); calls = calls[2:] {
		m.call(calls[0], calls[1])
		m.compare()
	}
	m.store.fail = false
	for _, release := range m.holds {
		release()
	}
	m.holds = nil
	if err := m.system.ReleaseTree(m.ctx, m.now, "/"); err != nil {
		t.Error(err)
	}
	// The next change removes expired locks.
	later := m.now.Add(time.Hour)
	acquire(t, m.system, later, lock.Lock{Root: "/x", ZeroDepth: true})
	if err := m.system.Release(m.ctx, later, "urn:none"); !errors.Is(err, webdav.ErrNoSuchLock) {
		t.Errorf("Release of nothing: %v, want webdav.ErrNoSuchLock", err)
	}
	if n := m.system.Size(); n != 0 {
		t.Errorf("%d locks, nodes, timeouts and principals are left", n)
	}
}

// model is a System together with what it should contain.
type model struct {
	t      *testing.T
	ctx    context.Context
	store  *memStore
	system *lock.System
	now    time.Time
	locks  []modelLock // in the order of their creation, including expired ones
	holds  []func()
}

type modelLock struct {
	lock.Lock

	held bool
}

func newModel(t *testing.T) *model {
	m := &model{t: t, ctx: context.Background(), store: &memStore{}, now: start}
	m.restart()
	return m
}

func (m *model) restart() {
	m.system = newSystem(m.t, lock.Options{Store: m.store, MaxPerPrincipal: fuzzLimit})
}

func (m *model) alive(l modelLock) bool {
	return l.held || l.Duration < 0 || m.now.Before(l.Expires)
}

// call makes the call that two bytes describe.
func (m *model) call(what, arg byte) {
	switch what % 9 {
	case 0, 1:
		m.acquire(arg)
	case 2:
		m.end(arg, func(token string) error { return m.system.Release(m.ctx, m.now, token) }, false)
	case 3:
		m.end(arg, func(token string) error { return m.system.Unlock(m.now, token) }, true)
	case 4:
		m.renew(arg)
	case 5:
		m.releaseTree(fuzzNames[int(arg)%len(fuzzNames)])
	case 6:
		m.now = m.now.Add(time.Duration(arg%8) * time.Second)
	case 7:
		m.confirm(arg)
	case 8:
		if arg%2 == 0 {
			m.store.fail = !m.store.fail
		} else if len(m.holds) == 0 && !m.store.fail {
			m.restart()
		}
	}
}

func fuzzDuration(arg byte) time.Duration {
	return []time.Duration{lock.Infinite, 2 * time.Second, 5 * time.Second, 0}[arg%4]
}

// sweep removes expired locks.
func (m *model) sweep() {
	m.locks = slices.DeleteFunc(m.locks, func(l modelLock) bool { return !m.alive(l) })
}

func (m *model) acquire(arg byte) {
	m.sweep()
	wanted := lock.Lock{
		Root:      fuzzNames[arg%8],
		ZeroDepth: arg&8 != 0,
		Shared:    arg&16 != 0,
		Duration:  fuzzDuration(arg >> 5),
		Principal: []string{"", "p"}[arg>>7],
	}
	var in []lock.Lock
	count := 0
	for _, l := range m.locks {
		if l.Principal == wanted.Principal {
			count++
		}
		if (!l.Shared || !wanted.Shared) && (l.Covers(wanted.Root) || wanted.Covers(l.Root)) {
			in = append(in, l.Lock)
		}
	}
	byRoot(in)
	got, err := m.system.Acquire(m.ctx, m.now, wanted)
	conflict, _ := errors.AsType[*lock.ConflictError](err)
	switch {
	case len(in) > 0:
		if conflict == nil || !slices.Equal(conflict.Locks, in) {
			m.t.Errorf("Acquire(%+v): %v, want a conflict with %+v", wanted, err, in)
		}
	case count >= fuzzLimit:
		if !errors.Is(err, lock.ErrLimit) {
			m.t.Errorf("Acquire(%+v): %v, want lock.ErrLimit", wanted, err)
		}
	case m.store.fail:
		m.storeFailed(err)
	case err != nil:
		m.t.Errorf("Acquire(%+v): %v", wanted, err)
	default:
		wanted.Token, wanted.Created = got.Token, m.now
		if wanted.Duration >= 0 {
			wanted.Expires = m.now.Add(wanted.Duration)
		}
		m.locks = append(m.locks, modelLock{Lock: wanted})
		if got != wanted {
			m.t.Errorf("Acquire returned %+v, want %+v", got, wanted)
		}
	}
}

func (m *model) storeFailed(err error) {
	if !errors.Is(err, errStore) {
		m.t.Errorf("%v, want the Store's error", err)
	}
}

// pick returns the index and the token of a lock that is alive; or a token of no lock.
func (m *model) pick(arg byte) (i int, token string) {
	m.sweep()
	if i = int(arg) % (len(m.locks) + 1); i == len(m.locks) {
		return -1, "urn:none"
	}
	return i, m.locks[i].Token
}

// end makes a call that ends a lock.
func (m *model) end(arg byte, call func(token string) error, heedsHolds bool) {
	i, token := m.pick(arg)
	err := call(token)
	switch {
	case i < 0:
		if !errors.Is(err, webdav.ErrNoSuchLock) {
			m.t.Errorf("%v, want webdav.ErrNoSuchLock", err)
		}
	case heedsHolds && m.locks[i].held:
		if !errors.Is(err, webdav.ErrLocked) {
			m.t.Errorf("%v, want webdav.ErrLocked", err)
		}
	case m.store.fail:
		m.storeFailed(err)
	case err != nil:
		m.t.Error(err)
	default:
		m.locks = slices.Delete(m.locks, i, i+1)
	}
}

func (m *model) renew(arg byte) {
	i, token := m.pick(arg >> 2)
	got, err := m.system.Renew(m.ctx, m.now, token, fuzzDuration(arg))
	switch {
	case i < 0:
		if !errors.Is(err, webdav.ErrNoSuchLock) {
			m.t.Errorf("%v, want webdav.ErrNoSuchLock", err)
		}
	case m.store.fail:
		m.storeFailed(err)
	case err != nil:
		m.t.Error(err)
	default:
		l := &m.locks[i]
		l.Duration, l.Expires = fuzzDuration(arg), time.Time{}
		if l.Duration >= 0 {
			l.Expires = m.now.Add(l.Duration)
		}
		if got != l.Lock {
			m.t.Errorf("Renew returned %+v, want %+v", got, l.Lock)
		}
	}
}

func (m *model) releaseTree(name string) {
	m.sweep()
	in := func(l modelLock) bool {
		return l.Root == name || strings.HasPrefix(l.Root, strings.TrimSuffix(name, "/")+"/")
	}
	err := m.system.ReleaseTree(m.ctx, m.now, name)
	switch {
	case m.store.fail && slices.ContainsFunc(m.locks, in):
		m.storeFailed(err)
	case err != nil:
		m.t.Error(err)
	default:
		m.locks = slices.DeleteFunc(m.locks, in)
	}
}

// confirm holds a lock, or releases a held one.
func (m *model) confirm(arg byte) {
	if arg%2 == 0 && len(m.holds) > 0 {
		m.holds[0]()
		m.holds = m.holds[1:]
		return
	}
	i, token := m.pick(arg >> 1)
	root := "/"
	if i >= 0 {
		root = m.locks[i].Root
	}
	busy := slices.ContainsFunc(m.locks, func(l modelLock) bool { return l.held && l.Covers(root) })
	release, err := m.system.Confirm(m.now, root, "", webdav.Condition{Token: token})
	switch {
	case i < 0 || busy:
		if !errors.Is(err, webdav.ErrConfirmationFailed) {
			m.t.Errorf("Confirm: %v, want webdav.ErrConfirmationFailed", err)
		}
	case err != nil:
		m.t.Errorf("Confirm: %v", err)
	default:
		m.locks[i].held = true
		m.holds = append(m.holds, func() {
			release()
			for i := range m.locks {
				if m.locks[i].Token == token {
					m.locks[i].held = false
				}
			}
		})
	}
}

// compare looks up each name in both.
func (m *model) compare() {
	m.t.Helper()
	for _, name := range append(fuzzNames, "/a/b/c/d", "/z") {
		for _, tree := range []bool{false, true} {
			var want []lock.Lock
			for _, l := range m.locks {
				below := lock.Lock{Root: name}
				if m.alive(l) && (l.Covers(name) || tree && below.Covers(l.Root)) {
					want = append(want, l.Lock)
				}
			}
			byRoot(want)
			if got, err := m.system.Find(m.ctx, m.now, name, tree); err != nil || !slices.Equal(got, want) {
				m.t.Errorf("Find(%q, %t) returned %+v, %v, want %+v", name, tree, got, err, want)
			}
		}
	}
}

// byRoot sorts locks by root. They must be in the order of their creation.
func byRoot(locks []lock.Lock) {
	slices.SortStableFunc(locks, func(a, b lock.Lock) int { return strings.Compare(a.Root, b.Root) })
}
