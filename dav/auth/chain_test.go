package auth

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

// directory is a Verifier of another server. It takes a second.
type directory struct {
	passwords map[string]string
	down      error
	calls     atomic.Int32
}

func (d *directory) Verify(_ context.Context, name, password string) (*Identity, error) {
	d.calls.Add(1)
	time.Sleep(time.Second)
	want, ok := d.passwords[name]
	switch {
	case d.down != nil:
		return nil, d.down
	case !ok:
		return nil, ErrUnknown
	case want != password:
		return nil, ErrWrong
	}
	return &Identity{Name: name, Groups: []string{"staff"}}, nil
}

func (d *directory) Valid(*Identity) bool { return true }

func (d *directory) Find(_ context.Context, name string) (*Identity, error) {
	if _, ok := d.passwords[name]; !ok || d.down != nil {
		return nil, errors.Join(d.down, ErrUnknown)
	}
	return &Identity{Name: name, Groups: []string{"staff"}}, nil
}

// counted returns accounts with these names whose hashes count their calls.
func counted(password string, names ...string) (*Users, *slow) {
	hash := &slow{password: password}
	accounts := make(map[string]passfile.Account)
	for _, name := range names {
		accounts[name] = account("hash of "+password, hash)
	}
	return NewUsers(ofAccounts(accounts)), hash
}

func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, firstHash := counted("1", "ann")
		second, secondHash := counted("2", "ann", "bob")
		remote := &directory{passwords: map[string]string{"ann": "3", "bob": "3", "eve": "3"}}
		c := NewChain(first, second, remote)
		for _, tt := range []struct {
			name, password          string
			want                    error
			first, second, directly int32 // calls
		}{
			{"ann", "1", nil, 1, 0, 0},
			{"ann", "2", ErrWrong, 1, 0, 0}, // the first one that knows her decides
			{"bob", "2", nil, 0, 1, 0},
			{"bob", "3", ErrWrong, 0, 1, 0},
			{"eve", "3", nil, 0, 0, 1},
			{"eve", "1", ErrWrong, 0, 0, 1},
		} {
			firstHash.calls.Store(0)
			secondHash.calls.Store(0)
			remote.calls.Store(0)
			id, err := c.Verify(t.Context(), tt.name, tt.password)
			if !errors.Is(err, tt.want) || (id != nil) != (tt.want == nil) || id != nil && (id.Name != tt.name || !c.Valid(id)) {
				t.Errorf("%s, %s: got %+v, error %v", tt.name, tt.password, id, err)
			}
			if a, b, c := firstHash.calls.Load(), secondHash.calls.Load(), remote.calls.Load(); a != tt.first || b != tt.second || c != tt.directly {
				t.Errorf("%s, %s: asked %d, %d, %d times", tt.name, tt.password, a, b, c)
			}
		}
		// An unknown name costs a hash and the call, and always the same hash.
		before := firstHash.calls.Load() - secondHash.calls.Load()
		for range 2 {
			if _, err := c.Verify(t.Context(), "nobody", "1"); !errors.Is(err, ErrUnknown) {
				t.Error(err)
			}
		}
		if after := firstHash.calls.Load() - secondHash.calls.Load() - before; after != 2 && after != -2 {
			t.Errorf("the difference of hashes is %d", after)
		}
		for name, want := range map[string]Standing{"ann": Known, "bob": Known, "eve": Remote, "nobody": Remote} {
			if got := c.Probe(name); got != want {
				t.Errorf("%s is %v", name, got)
			}
		}
		if got := NewChain(first, second).Probe("nobody"); got != Unknown {
			t.Errorf("without the directory: %v", got)
		}
		if id, err := c.Find(t.Context(), "eve"); err != nil || id.Groups[0] != "staff" || !c.Valid(id) {
			t.Errorf("found %+v, error %v", id, err)
		}
		if _, err := c.Find(t.Context(), "nobody"); !errors.Is(err, ErrUnknown) {
			t.Errorf("found: error %v", err)
		}
		remote.down = errors.New("down")
		if _, err := c.Verify(t.Context(), "eve", "3"); !errors.Is(err, remote.down) || errors.Is(err, ErrWrong) {
			t.Errorf("down: %v", err)
		}
		if id, err := c.Verify(t.Context(), "ann", "1"); err != nil || !c.Valid(id) {
			t.Errorf("a local user, while it is down: %v", err)
		}
	})
}

func TestChainSet(t *testing.T) {
	first, _ := counted("1", "ann")
	second, _ := counted("2", "bob")
	c := NewChain(first, second)
	ann, err1 := c.Verify(t.Context(), "ann", "1")
	bob, err2 := c.Verify(t.Context(), "bob", "2")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	valid := func(what string, wantAnn, wantBob bool) {
		t.Helper()
		if a, b := c.Valid(ann), c.Valid(bob); a != wantAnn || b != wantBob {
			t.Errorf("%s: ann %v, bob %v", what, a, b)
		}
	}
	valid("at first", true, true)
	c.Set(second, first)
	valid("in another order", true, true)
	both, _ := counted("3", "ann", "bob")
	c.Set(second, both, first)
	valid("ann has another password in front", false, true)
	c.Set(first)
	valid("without bob", true, false)
	c.Set()
	valid("without any", false, false)
	if _, err := c.Verify(t.Context(), "ann", "1"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if new(Chain).Valid(ann) || c.Valid(&Identity{Name: "ann"}) {
		t.Error("an identity without a verifier is valid")
	}
}

// TestUsersSet checks what a reload keeps.
func TestUsersSet(t *testing.T) {
	hash := &slow{password: "right"}
	users := func(hash *slow, groups ...string) map[string]Account {
		return map[string]Account{"ann": {Account: account("h", hash), Groups: groups}, "bob": {Account: account("b", hash)}}
	}
	u := NewUsers(users(hash, "family"))
	d := &door{newLogins(), u}
	login := func(name string, want error, calls int32) *Identity {
		t.Helper()
		id, err := d.logIn(t.Context(), u, name, "right", remote)
		if !errors.Is(err, want) || hash.calls.Load() != calls {
			t.Errorf("%s: error %v, %d hashes", name, err, hash.calls.Load())
		}
		return id
	}
	before := login("ann", nil, 1)
	login("bob", nil, 2)
	u.Set(users(&slow{}, "family")) // parsed again
	login("ann", nil, 2)
	u.Set(users(hash, "family", "board"))
	if u.Valid(before) {
		t.Error("a login with other groups is valid")
	}
	if id := login("ann", nil, 3); len(id.Groups) != 2 {
		t.Errorf("groups %v", id.Groups)
	}
	login("bob", nil, 3)
	with := users(hash)
	delete(with, "bob")
	u.Set(with)
	login("bob", ErrWrong, 4)
	if u.Probe("bob") != Unknown || u.Probe("ann") != Known || new(Users).Probe("ann") != Unknown {
		t.Error("the lists are wrong")
	}
}

// TestDirectoryDown checks that users whose passwords are remembered don't notice, and others
// get an error that is not a refusal.
func TestDirectoryDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remoteUsers := &directory{passwords: map[string]string{"ann": "right", "bob": "right"}}
		d := &door{newLogins(), remoteUsers}
		if err := d.check(t.Context(), "ann", "right", remote); err != nil {
			t.Fatal(err)
		}
		remoteUsers.down = errors.New("down")
		time.Sleep(rememberFor - 2*time.Second)
		if err := d.check(t.Context(), "ann", "right", remote); err != nil {
			t.Errorf("a remembered user: %v", err)
		}
		for range 2 * freeFailures {
			if err := d.check(t.Context(), "bob", "right", remote); !errors.Is(err, remoteUsers.down) {
				t.Errorf("another user: %v", err)
			}
		}
		time.Sleep(2 * time.Second)
		if err := d.check(t.Context(), "ann", "right", remote); !errors.Is(err, remoteUsers.down) {
			t.Errorf("later: %v", err)
		}
		remoteUsers.down = nil
		start := time.Now()
		if err := d.check(t.Context(), "bob", "right", remote); err != nil || time.Since(start) > time.Second {
			t.Errorf("again: %v after %v", err, time.Since(start))
		}
		// A password that was changed in the directory is refused, and then forgotten.
		remoteUsers.passwords["ann"] = "other"
		if err := d.check(t.Context(), "ann", "right", remote); !errors.Is(err, ErrWrong) {
			t.Error(err)
		}
		if _, ok := d.remembered("ann", "right"); ok {
			t.Error("a wrong password is familiar")
		}
	})
}

// TestRemoteRefusals checks that refusals take the same time, whoever knows the name.
func TestRemoteRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local := NewUsers(ofAccounts(map[string]passfile.Account{"ann": account("hash", &slow{password: "right", takes: 60 * time.Millisecond})}))
		quick := &quickDirectory{}
		d := &door{newLogins(), NewChain(local, quick)}
		for _, name := range []string{"ann", "eve", "nobody", "\x00"} {
			start := time.Now()
			if err := d.check(t.Context(), name, "wrong", remote); !errors.Is(err, ErrWrong) {
				t.Errorf("%q: %v", name, err)
			}
			if took := time.Since(start); took != remoteRefusal {
				t.Errorf("%q took %v", name, took)
			}
		}
		if quick.asked["\x00"] {
			t.Error("the directory was asked about an impossible name")
		}
	})
}

// quickDirectory knows eve.
type quickDirectory struct{ asked map[string]bool }

func (q *quickDirectory) Verify(_ context.Context, name, _ string) (*Identity, error) {
	if q.asked == nil {
		q.asked = make(map[string]bool)
	}
	q.asked[name] = true
	if name == "eve" {
		time.Sleep(3 * time.Millisecond)
		return nil, ErrWrong
	}
	return nil, ErrUnknown
}

func (*quickDirectory) Valid(*Identity) bool { return true }

// TestSlowDirectory checks that local users don't wait for a directory that doesn't answer.
func TestSlowDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local, _ := counted("right", "ann")
		remoteUsers := &directory{passwords: map[string]string{}}
		d := &door{newLogins(), NewChain(local, remoteUsers)}
		done := make(chan struct{})
		const many = 100
		for i := range many {
			go func() {
				_ = d.check(t.Context(), "stranger"+string(rune('a'+i)), "x", "192.0.2.9:1")
				done <- struct{}{}
			}()
		}
		synctest.Wait()
		start := time.Now()
		if err := d.check(t.Context(), "ann", "right", remote); err != nil || time.Since(start) > 0 {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
		for range many {
			<-done
		}
	})
}

// TestSlowDirectoryFamiliar checks that a local user whose password has to be verified again doesn't
// wait for users of a slow directory in the same situation.
func TestSlowDirectoryFamiliar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local, _ := counted("right", "ann")
		remoteUsers := &directory{passwords: make(map[string]string)}
		d := &door{newLogins(), NewChain(local, remoteUsers)}
		var names []string
		for i := range remoteTurns {
			names = append(names, "user"+string(rune('a'+i)))
			remoteUsers.passwords[names[i]] = "right"
		}
		logIn := func(name string) {
			if err := d.check(t.Context(), name, "right", remote); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range append(names, "ann") {
			logIn(name)
			d.expire(t, name, "right")
		}
		var others sync.WaitGroup
		for _, name := range names {
			others.Go(func() { logIn(name) })
		}
		synctest.Wait()
		start := time.Now()
		logIn("ann")
		if took := time.Since(start); took > 0 {
			t.Errorf("ann waited %v", took)
		}
		others.Wait()
	})
}

// TestMemoryIsBounded checks that the memory forgets expired passwords first.
func TestMemoryIsBounded(t *testing.T) {
	var m memory
	var digests digester
	users, _ := counted("x", "ann")
	id, err := users.Verify(t.Context(), "ann", "x")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range maxRemembered {
		until := now.Add(time.Hour)
		if i%2 == 0 {
			until = now.Add(-time.Hour)
		}
		m.store(digests.of("ann", string(rune(i))), verification{id, until})
	}
	m.store(digests.of("last"), verification{id, now.Add(time.Hour)})
	valid := 0
	for _, v := range m.of {
		if v.until.After(now) {
			valid++
		}
	}
	if len(m.of) != maxRemembered*3/4+1 || valid < maxRemembered/2 {
		t.Errorf("%d are left, %d of them valid", len(m.of), valid)
	}
}
