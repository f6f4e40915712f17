package lock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/lock"
)

// System does the same as webdav.NewMemLS, call by call.
func TestLockSystemLikeMemLS(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			p := &lockSystems{t: t, random: rand.New(rand.NewPCG(seed, 0)), now: start}
			p.systems = [2]webdav.LockSystem{newSystem(t, lock.Options{Store: &memStore{}}), webdav.NewMemLS()}
			for range 300 {
				p.step()
			}
		})
	}
}

// lockSystems makes the same calls to two LockSystems.
type lockSystems struct {
	t       *testing.T
	random  *rand.Rand
	now     time.Time
	systems [2]webdav.LockSystem
	tokens  [][2]string // of all locks that were ever created
	holds   [][2]func()
}

// step makes a call and compares.
func (p *lockSystems) step() {
	var errs [2]error
	call := [...]func(i int) error{p.create(), p.refresh(), p.unlock(), p.confirm(), p.release(), p.sleep()}[p.random.IntN(6)]
	for i := range p.systems {
		errs[i] = call(i)
	}
	if errs[0] != errs[1] { //nolint:errorlint // x/net compares so
		p.t.Fatalf("System: %v, MemLS: %v", errs[0], errs[1])
	}
}

func (p *lockSystems) name() string {
	names := []string{"/", "/a", "/a/b", "a//b/", "/a/b/c", "/ab", "/d/../a", "/d", ""}
	return names[p.random.IntN(len(names))]
}

func (p *lockSystems) duration() time.Duration {
	return max(lock.Infinite, time.Duration(p.random.IntN(6)-1)*time.Second)
}

func (p *lockSystems) token() (tokens [2]string) {
	if len(p.tokens) == 0 || p.random.IntN(20) == 0 {
		return [2]string{"urn:none", "urn:none"}
	}
	return p.tokens[max(0, len(p.tokens)-1-p.random.IntN(8))]
}

func (p *lockSystems) create() func(i int) error {
	details := webdav.LockDetails{Root: p.name(), Duration: p.duration(), ZeroDepth: p.random.IntN(2) == 0}
	var tokens [2]string
	return func(i int) (err error) {
		if tokens[i], err = p.systems[i].Create(p.now, details); err == nil && i == 1 {
			p.tokens = append(p.tokens, tokens)
		}
		return err
	}
}

func (p *lockSystems) refresh() func(i int) error {
	tokens, duration := p.token(), p.duration()
	var details [2]webdav.LockDetails
	return func(i int) (err error) {
		details[i], err = p.systems[i].Refresh(p.now, tokens[i], duration)
		if i == 1 && details[0] != details[1] {
			p.t.Errorf("System: %+v, MemLS: %+v", details[0], details[1])
		}
		return err
	}
}

func (p *lockSystems) unlock() func(i int) error {
	tokens := p.token()
	return func(i int) error { return p.systems[i].Unlock(p.now, tokens[i]) }
}

func (p *lockSystems) confirm() func(i int) error {
	name0, name1 := p.name(), p.name()
	conditions := [2][]webdav.Condition{}
	for range p.random.IntN(4) {
		tokens, not, etag := p.token(), p.random.IntN(8) == 0, p.random.IntN(8) == 0
		for i, token := range tokens {
			c := webdav.Condition{Not: not, Token: token}
			if etag {
				c = webdav.Condition{Not: not, ETag: `"etag"`}
			}
			conditions[i] = append(conditions[i], c)
		}
	}
	var releases [2]func()
	return func(i int) (err error) {
		releases[i], err = p.systems[i].Confirm(p.now, name0, name1, conditions[i]...)
		if err == nil && i == 1 {
			p.holds = append(p.holds, releases)
		}
		return err
	}
}

func (p *lockSystems) release() func(i int) error {
	if len(p.holds) == 0 {
		return p.sleep()
	}
	n := p.random.IntN(len(p.holds))
	releases := p.holds[n]
	p.holds = slices.Delete(p.holds, n, n+1)
	return func(i int) error {
		releases[i]()
		return nil
	}
}

func (p *lockSystems) sleep() func(i int) error {
	p.now = p.now.Add(time.Duration(p.random.IntN(4)) * 500 * time.Millisecond)
	return func(int) error { return nil }
}

// Of several shared locks on one resource, only one at a time gives exclusive access.
func TestConfirmShared(t *testing.T) {
	s := newSystem(t, lock.Options{})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Shared: true, Duration: time.Hour})
	b := acquire(t, s, start, lock.Lock{Root: "/a/b", Shared: true, Duration: time.Hour})
	releaseA, err := s.Confirm(start, "/a/b", "", webdav.Condition{Token: a.Token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Confirm(start, "/a/b", "", webdav.Condition{Token: b.Token}); !errors.Is(err, webdav.ErrConfirmationFailed) {
		t.Errorf("Confirm while another shared lock is held: %v, want webdav.ErrConfirmationFailed", err)
	}
	releaseA()
	releaseB, err := s.Confirm(start, "/a/b", "", webdav.Condition{Token: b.Token})
	if err != nil {
		t.Fatalf("Confirm after the release: %v", err)
	}
	releaseB()
}

// A release that is called twice doesn't release a later hold.
func TestReleaseTwice(t *testing.T) {
	s := newSystem(t, lock.Options{})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
	var releases [2]func()
	for i := range releases {
		release, err := s.Confirm(start, "/a", "", webdav.Condition{Token: a.Token})
		if err != nil {
			t.Fatal(err)
		}
		releases[i] = release
		releases[0]()
	}
	if _, err := s.Confirm(start, "/a", "", webdav.Condition{Token: a.Token}); !errors.Is(err, webdav.ErrConfirmationFailed) {
		t.Errorf("Confirm of what is held: %v, want webdav.ErrConfirmationFailed", err)
	}
	releases[1]()
}

// A hold keeps a lock alive for all methods, but does not stop those of Manager.
func TestHoldAndManager(t *testing.T) {
	ctx := context.Background()
	s := newSystem(t, lock.Options{Store: &memStore{}})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Minute})
	release, err := s.Confirm(start, "/a", "", webdav.Condition{Token: a.Token})
	if err != nil {
		t.Fatal(err)
	}
	now := start.Add(time.Hour)
	holds(t, s, now, a)
	if _, err := s.Acquire(ctx, now, lock.Lock{Root: "/", Duration: time.Minute}); !errors.Is(err, webdav.ErrLocked) {
		t.Errorf("Acquire above a lock that is held: %v, want webdav.ErrLocked", err)
	}
	if a, err = s.Renew(ctx, now, a.Token, time.Minute); err != nil {
		t.Errorf("Renew of a lock that is held: %v", err)
	}
	if err := s.Release(ctx, now, a.Token); err != nil {
		t.Errorf("Release of a lock that is held: %v", err)
	}
	b := acquire(t, s, now, lock.Lock{Root: "/a", Duration: time.Minute})
	release()
	holds(t, s, now, b)
	if err := s.ReleaseTree(ctx, now, "/"); err != nil {
		t.Fatal(err)
	}
	if n := s.Size(); n != 0 {
		t.Errorf("%d locks, nodes, timeouts and principals are left", n)
	}
}

// Confirm can't claim a lock while the Store deletes it.
func TestConfirmDuringUnlock(t *testing.T) {
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
	store.deleting = func() {
		if _, err := s.Confirm(start, "/a", "", webdav.Condition{Token: a.Token}); !errors.Is(err, webdav.ErrConfirmationFailed) {
			t.Errorf("Confirm during Unlock: %v, want webdav.ErrConfirmationFailed", err)
		}
	}
	if err := s.Unlock(start, a.Token); err != nil || store.deletes != 1 {
		t.Errorf("Unlock: %v after %d deletes", err, store.deletes)
	}
}

// The Store does not get the locks that x/net's handler holds for the length of a
// request, until a client refreshes one.
func TestCreateInMemory(t *testing.T) {
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	create := func(details webdav.LockDetails) string {
		t.Helper()
		token, err := s.Create(start, details)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	request := create(webdav.LockDetails{Root: "/a", Duration: -1, ZeroDepth: true})
	if err := s.Unlock(start, request); err != nil || store.saves+store.deletes != 0 {
		t.Errorf("Unlock: %v, and the Store had %d saves and %d deletes", err, store.saves, store.deletes)
	}
	refreshed := create(webdav.LockDetails{Root: "/a", Duration: -1})
	if _, err := s.Refresh(start, refreshed, -1); err != nil {
		t.Fatal(err)
	}
	owned := create(webdav.LockDetails{Root: "/b", Duration: -1, OwnerXML: "<o/>"})
	limited := create(webdav.LockDetails{Root: "/c", Duration: time.Minute})
	if want := []string{refreshed, owned, limited}; !slices.Equal(store.tokens(), want) {
		t.Errorf("the Store has %v, want %v", store.tokens(), want)
	}
}

// x/net's own handler runs on a System.
func TestHandler(t *testing.T) {
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	server := httptest.NewServer(&webdav.Handler{FileSystem: webdav.NewMemFS(), LockSystem: s})
	defer server.Close()
	do := func(want int, method, name, body string, header ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+name, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s %s %q: %s, want %d", method, name, header, response.Status, want)
		}
		return response
	}
	const info = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
		`<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>`

	do(http.StatusCreated, "PUT", "/a", "one")
	if store.saves != 0 {
		t.Errorf("a PUT without a lock made %d saves", store.saves)
	}
	token := do(http.StatusOK, "LOCK", "/a", info, "Timeout", "Second-100").Header.Get("Lock-Token")
	do(http.StatusLocked, "LOCK", "/a", info)
	do(http.StatusLocked, "PUT", "/a", "two")
	do(http.StatusCreated, "PUT", "/a", "two", "If", "("+token+")")
	do(http.StatusPreconditionFailed, "PUT", "/a", "two", "If", "(<urn:none>)")
	do(http.StatusOK, "LOCK", "/a", "", "If", "("+token+")", "Timeout", "Infinite")
	do(http.StatusConflict, "UNLOCK", "/a", "", "Lock-Token", "<urn:none>")
	if len(store.locks) != 1 || store.locks[0].OwnerXML != "me" || store.locks[0].Duration != lock.Infinite {
		t.Errorf("the Store has %+v", store.locks)
	}
	do(http.StatusNoContent, "UNLOCK", "/a", "", "Lock-Token", token)
	do(http.StatusCreated, "PUT", "/a", "three")
	keeps(t, store)
	if n := s.Size(); n != 0 {
		t.Errorf("%d locks, nodes, timeouts and principals are left", n)
	}
}
