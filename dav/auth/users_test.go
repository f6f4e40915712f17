package auth

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tg123/go-htpasswd"

	"github.com/davd/davd/dav/auth/passfile"
)

// slow is a hash with a set duration that counts its calls.
type slow struct {
	password   string
	takes      time.Duration
	calls, now atomic.Int32
	most       atomic.Int32 // at a time
	longest    atomic.Int32 // password
}

func (s *slow) MatchesPassword(password string) bool {
	s.calls.Add(1)
	s.longest.Store(max(s.longest.Load(), int32(len(password))))
	s.most.Store(max(s.most.Load(), s.now.Add(1)))
	defer s.now.Add(-1)
	time.Sleep(s.takes)
	return password == s.password
}

func account(hash string, matcher htpasswd.EncodedPasswd) passfile.Account {
	return passfile.Account{Hash: hash, Matcher: matcher}
}

// door is a Verifier with its logins.
type door struct {
	*logins
	users Verifier
}

func usersOf(accounts map[string]passfile.Account) *door {
	return &door{newLogins(), NewUsers(ofAccounts(accounts))}
}

// handler returns a Handler with the door's logins.
func (d *door) handler(next http.Handler) *Handler {
	h := &Handler{Next: next, Verifier: d.users, state: d.logins}
	h.once.Do(func() {})
	return h
}

// check is logIn without the returned user.
func (d *door) check(ctx context.Context, name, password, remote string) error {
	_, err := d.logIn(ctx, d.users, name, password, remote)
	return err
}

// remembered returns the verification of a password, even if it has expired.
func (d *door) remembered(name, password string) (verification, bool) {
	return d.memory.recall(d.users, d.digests.of(name, password))
}

// expire makes the verification of a password end now.
func (d *door) expire(t *testing.T, name, password string) {
	t.Helper()
	v, ok := d.remembered(name, password)
	if !ok {
		t.Fatalf("%s is not remembered", name)
	}
	v.until = time.Now()
	d.memory.store(d.digests.of(name, password), v)
}

const remote = "192.0.2.1:1234"

func TestVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash := &slow{password: "right"}
		u := usersOf(map[string]passfile.Account{"ann": account("hash", hash)})
		for _, tt := range []struct {
			name, password string
			want           error
		}{
			{"ann", "right", nil},
			{"ann", "", ErrWrong},
			{"ann", "wrong", ErrWrong},
			{"ann", "wrong", ErrWrong}, // not remembered
			{"Ann", "right", ErrWrong},
			{"", "right", ErrWrong},
			{"bob", "right", ErrWrong}, // compared with ann's hash
			{"ann", "right" + strings.Repeat(" ", 2000), ErrWrong},
		} {
			before := hash.calls.Load()
			if err := u.check(t.Context(), tt.name, tt.password, remote); !errors.Is(err, tt.want) {
				t.Errorf("%s, %.10q: got %v, want %v", tt.name, tt.password, err, tt.want)
			}
			if got := hash.calls.Load() - before; got != 1 {
				t.Errorf("%s, %.10q: hashed %d times", tt.name, tt.password, got)
			}
		}
		if got := hash.longest.Load(); got != maxPassword {
			t.Errorf("a password of %d bytes was hashed", got)
		}
	})
}

// TestLongPasswordEndsDifferently checks that passwords that differ only beyond maxPassword
// bytes are not accepted.
func TestLongPasswordEndsDifferently(t *testing.T) {
	long := strings.Repeat("x", maxPassword)
	u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: long})})
	if err := u.check(t.Context(), "ann", long, remote); err != nil {
		t.Error(err)
	}
	if err := u.check(t.Context(), "ann", long+"y", remote); !errors.Is(err, ErrWrong) {
		t.Error(err)
	}
}

func TestRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash := &slow{password: "right"}
		u := usersOf(map[string]passfile.Account{"ann": account("hash", hash), "bob": account("hash", &slow{password: "other"})})
		verify := func(name, password string, want error, calls int32) {
			t.Helper()
			if err := u.check(t.Context(), name, password, remote); !errors.Is(err, want) {
				t.Errorf("%s, %s: got %v, want %v", name, password, err, want)
			}
			if got := hash.calls.Load(); got != calls {
				t.Errorf("hashed %d times by now, want %d", got, calls)
			}
		}
		verify("ann", "right", nil, 1)
		verify("ann", "right", nil, 1)
		verify("ann", "wrong", ErrWrong, 2)
		verify("bob", "right", ErrWrong, 2)
		verify("ann", "right", nil, 2)
		time.Sleep(rememberFor - time.Nanosecond)
		verify("ann", "right", nil, 2)
		time.Sleep(time.Nanosecond)
		verify("ann", "right", nil, 3)
		verify("ann", "right", nil, 3)
	})
}

func TestNoPasswordInMemory(t *testing.T) {
	u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right"})})
	if err := u.check(t.Context(), "ann", "right", remote); err != nil {
		t.Fatal(err)
	}
	for d := range u.memory.of {
		if bytes.Contains(d[:], []byte("right")) || d == (digest{}) {
			t.Errorf("remembered %x", d)
		}
	}
	if _, ok := u.remembered("ann", "right"); !ok {
		t.Error("not remembered")
	}
}

func TestDigestsDiffer(t *testing.T) {
	var digests digester
	seen := make(map[digest]string)
	for _, parts := range [][3]string{{"h", "u", "p"}, {"hu", "", "p"}, {"", "hu", "p"}, {"h", "up", ""}, {"", "", "hup"}, {"h", "u", "P"}} {
		d := digests.of(parts[:]...)
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %s are the same", parts, other)
		}
		seen[d] = strings.Join(parts[:], "|")
		if digests.of(parts[:]...) != d {
			t.Errorf("%q is not the same twice", parts)
		}
	}
}

// TestStandIns checks that the user who stands in for an unknown name is always the same,
// and that every user stands in for some names.
func TestStandIns(t *testing.T) {
	table := newTable(ofAccounts(map[string]passfile.Account{"ann": account("a", nil), "bob": account("b", nil)}), nil)
	var digests digester
	hashes := make(map[string]bool)
	for i := range 100 {
		name := "user" + strconv.Itoa(i)
		u, known := table.lookup(&digests, name)
		again, _ := table.lookup(&digests, name)
		if known || u != again {
			t.Errorf("%s: known %v, the same again %v", name, known, u == again)
		}
		hashes[u.Hash] = true
	}
	if len(hashes) != 2 {
		t.Errorf("standing in: %v", hashes)
	}
}

func BenchmarkRemembered(b *testing.B) {
	name := filepath.Join(b.TempDir(), "users") // the file is checked every second
	if err := os.WriteFile(name, []byte("ann:{SHA}0nofEXcSAJSXFLGvmfBIpBb11vQ="), 0o600); err != nil {
		b.Fatal(err)
	}
	file, err := OpenFile(name, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	u := &door{newLogins(), file}
	ctx := context.Background()
	if err := u.check(ctx, "ann", "right", remote); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := u.check(ctx, "ann", "right", remote); err != nil {
			b.Fatal(err)
		}
	}
}
