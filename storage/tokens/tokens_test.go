package tokens_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tokens"
)

func TestMem(t *testing.T) {
	storagetest.TokenSuite{New: func(*testing.T) tokens.Store { return tokens.NewMem() }}.Run(t)
}

func keyring(t *testing.T, store tokens.Store) *tokens.Keyring {
	t.Helper()
	k, err := tokens.New(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func add(t *testing.T, k *tokens.Keyring, token tokens.Token) string {
	t.Helper()
	password, _, err := k.Add(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return password
}

func TestKeyring(t *testing.T) {
	store := tokens.NewMem()
	k := keyring(t, store)
	phone := add(t, k, tokens.Token{User: "ann", Name: "phone", ReadOnly: true})
	laptop := add(t, k, tokens.Token{User: "ann", Name: "laptop"})
	if !regexp.MustCompile(`^davd_[a-z2-7]{26,}$`).MatchString(phone) || phone == laptop {
		t.Errorf("the passwords are %s and %s", phone, laptop)
	}
	for _, again := range []*tokens.Keyring{k, keyring(t, store)} {
		for _, tt := range []struct {
			user, password, name string
		}{
			{"ann", phone, "phone"},
			{"ann", laptop, "laptop"},
			{"bob", phone, ""},
			{"Ann", phone, ""},
			{"ann", strings.ToUpper(phone), ""},
			{"ann", phone + "x", ""},
			{"ann", "", ""},
			{"ann", strings.TrimPrefix(phone, tokens.Prefix), ""},
		} {
			got, ok := again.Find(tt.user, tt.password)
			if ok != (tt.name != "") || ok && (got.Name != tt.name || got.ReadOnly != (tt.name == "phone")) {
				t.Errorf("%s, %s: got %+v, %v", tt.user, tt.password, got, ok)
			}
		}
	}
	// The password is neither in memory nor in the store.
	all, _ := store.AllTokens(t.Context())
	if shown := fmt.Sprintf("%+v %q", all, all[1].Hash[:]); strings.Contains(shown, phone[5:]) || all[1].Hash != sha256.Sum256([]byte(phone)) {
		t.Errorf("stored: %s", shown)
	}
	found, _ := k.Find("ann", phone)
	if _, err := k.Revoke(t.Context(), "ann", "phone"); err != nil {
		t.Error(err)
	}
	if _, ok := k.Find("ann", phone); ok || k.Valid(&found) {
		t.Error("a revoked token is valid")
	}
	if _, ok := keyring(t, store).Find("ann", phone); ok {
		t.Error("a revoked token is stored")
	}
	if _, err := k.Revoke(t.Context(), "ann", "phone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("revoked twice: %v", err)
	}
	if list := k.List("ann"); len(list) != 1 || list[0].Name != "laptop" || len(k.List("bob")) != 0 || len(k.List("")) != 1 {
		t.Errorf("listed: %+v", list)
	}
}

func TestExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyring(t, tokens.NewMem())
		token := tokens.Token{User: "ann", Name: "phone", Expires: time.Now().Add(time.Hour)}
		password := add(t, k, token)
		if _, _, err := k.Add(t.Context(), token); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second one: %v", err)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		found, ok := k.Find("ann", password)
		if !ok || !k.Valid(&found) {
			t.Error("it expires too early")
		}
		time.Sleep(time.Nanosecond)
		if _, ok := k.Find("ann", password); ok || k.Valid(&found) {
			t.Error("it does not expire")
		}
		if _, _, err := k.Add(t.Context(), token); err == nil {
			t.Error("a token that has expired is added")
		}
		token.Expires = time.Time{}
		again := add(t, k, token) // replaces the expired one
		if _, ok := k.Find("ann", again); !ok || len(k.List("ann")) != 1 {
			t.Errorf("listed: %+v", k.List("ann"))
		}
	})
}

// uses counts calls of UseToken.
type uses struct {
	tokens.Store
	n int
}

func (u *uses) UseToken(ctx context.Context, user, name string, at time.Time) error {
	u.n++
	return u.Store.UseToken(ctx, user, name, at)
}

func TestUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &uses{Store: tokens.NewMem()}
		k := keyring(t, store)
		password := add(t, k, tokens.Token{User: "ann", Name: "phone"})
		use := func(want int) {
			t.Helper()
			token, ok := k.Find("ann", password)
			if err := k.Use(t.Context(), &token); !ok || err != nil || store.n != want {
				t.Errorf("recorded %d times, want %d, error %v", store.n, want, err)
			}
		}
		use(1)
		use(1)
		time.Sleep(time.Hour)
		use(2)
		if all, _ := store.AllTokens(t.Context()); !all[0].Used.Equal(time.Now()) {
			t.Errorf("used at %v", all[0].Used)
		}
		if _, err := k.Revoke(t.Context(), "ann", "phone"); err != nil {
			t.Error(err)
		}
		if err := k.Use(t.Context(), &tokens.Token{User: "ann", Name: "phone"}); err != nil || store.n != 2 {
			t.Errorf("the use of a revoked token is recorded, error %v", err)
		}
	})
}

func TestLimits(t *testing.T) {
	k := keyring(t, tokens.NewMem())
	for i := range tokens.MaxPerUser {
		add(t, k, tokens.Token{User: "ann", Name: strconv.Itoa(i)})
	}
	for _, bad := range []tokens.Token{
		{User: "ann", Name: "one more"},
		{User: "", Name: "x"},
		{User: "bob", Name: ""},
		{User: "bob", Name: "a\nb"},
		{User: "bob", Name: "\xff"},
		{User: "bob", Name: strings.Repeat("x", tokens.MaxName+1)},
	} {
		if _, _, err := k.Add(t.Context(), bad); err == nil {
			t.Errorf("%q, %q is accepted", bad.User, bad.Name)
		}
	}
	add(t, k, tokens.Token{User: "bob", Name: "x"})
}

var errBroken = errors.New("broken")

// onlyRead is a Store that can be read but not changed.
type onlyRead struct{ *tokens.Mem }

func (onlyRead) DeleteToken(context.Context, string, string) error { return errBroken }
func (onlyRead) AddToken(context.Context, tokens.Token) error      { return errBroken }

// TestStoreFails checks that a revoked token is refused even if that can't be stored.
func TestStoreFails(t *testing.T) {
	store := tokens.NewMem()
	password := add(t, keyring(t, store), tokens.Token{User: "ann", Name: "phone"})
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := tokens.New(ended, store); !errors.Is(err, context.Canceled) {
		t.Errorf("opened: %v", err)
	}
	k := keyring(t, &onlyRead{store})
	if _, _, err := k.Add(t.Context(), tokens.Token{User: "bob", Name: "x"}); !errors.Is(err, errBroken) || len(k.List("bob")) > 0 {
		t.Errorf("added: %v", err)
	}
	if _, err := k.Revoke(t.Context(), "ann", "phone"); !errors.Is(err, errBroken) {
		t.Errorf("revoked: %v", err)
	}
	if _, ok := k.Find("ann", password); ok {
		t.Error("a revoked token is valid")
	}
}

// flaky is a Store that can't be read while broken is set.
type flaky struct {
	*tokens.Mem

	broken atomic.Bool
	reads  atomic.Int32
}

func (f *flaky) AllTokens(ctx context.Context) ([]tokens.Token, error) {
	f.reads.Add(1)
	if f.broken.Load() {
		return nil, errBroken
	}
	return f.Mem.AllTokens(ctx)
}

// TestShared checks that the changes of another process take effect within a second, and that
// tokens remain valid while the store can't be read.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Mem: tokens.NewMem()}
		var rings [2]*tokens.Keyring
		for i := range rings {
			var err error
			if rings[i], err = tokens.NewShared(t.Context(), store); err != nil {
				t.Fatal(err)
			}
		}
		here, there := rings[0], rings[1]
		valid := func(password string) bool { _, ok := here.Find("ann", password); return ok }
		phone := add(t, there, tokens.Token{User: "ann", Name: "phone"})
		time.Sleep(time.Second + 1)
		before := store.reads.Load()
		for range 3 {
			if !valid(phone) {
				t.Error("a token of another process is not valid")
			}
		}
		if n := store.reads.Load() - before; n != 1 {
			t.Errorf("the store was read %d times", n)
		}
		if _, _, err := here.Add(t.Context(), tokens.Token{User: "ann", Name: "phone"}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("the same name again: %v", err)
		}
		store.broken.Store(true)
		time.Sleep(time.Second + 1)
		if !valid(phone) {
			t.Error("the token is not valid while the store can't be read")
		}
		store.broken.Store(false)
		if _, err := there.Revoke(t.Context(), "ann", "phone"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Second + 1)
		if valid(phone) {
			t.Error("a revoked token is valid")
		}
		laptop := add(t, there, tokens.Token{User: "ann", Name: "laptop"})
		if _, err := here.Revoke(t.Context(), "ann", "laptop"); err != nil || valid(laptop) {
			t.Errorf("a token of another process can't be revoked: %v", err)
		}
	})
}
