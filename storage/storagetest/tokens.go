package storagetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/tokens"
)

// TokenSuite is the conformance suite for a [tokens.Store].
type TokenSuite struct {
	// New returns an empty store, a new one at each call.
	New func(t *testing.T) tokens.Store

	// Reopen, if the store is persistent, closes old and opens it again.
	Reopen func(t *testing.T, old tokens.Store) tokens.Store
}

// Run runs each check as a subtest.
func (s TokenSuite) Run(t *testing.T) {
	t.Helper()
	for _, c := range tokenChecks {
		t.Run(c.name, func(t *testing.T) {
			store := s.New(t)
			want := c.run(t, store)
			wantTokens(t, store, want)
			if s.Reopen != nil {
				wantTokens(t, s.Reopen(t, store), want)
			}
		})
	}
}

func wantTokens(t *testing.T, store tokens.Store, want []tokens.Token) {
	t.Helper()
	got, err := store.AllTokens(t.Context())
	if err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
}

func aToken(user, name string) tokens.Token {
	return tokens.Token{User: user, Name: name, Hash: sha256.Sum256([]byte(user + "/" + name)), Created: historyStart}
}

// tokenChecks return the tokens that the store must have afterwards.
var tokenChecks = []struct {
	name string
	run  func(t *testing.T, store tokens.Store) []tokens.Token
}{
	{"empty", func(t *testing.T, store tokens.Store) []tokens.Token {
		if err := store.DeleteToken(t.Context(), "ann", "phone"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("deleting none: %v", err)
		}
		succeed(t, store.UseToken(t.Context(), "ann", "phone", historyStart))
		return nil
	}},
	{"every field is kept, and any name", func(t *testing.T, store tokens.Store) []tokens.Token {
		whole := aToken("ann", "phone")
		whole.ReadOnly, whole.Expires, whole.Used = true, historyStart.Add(time.Hour), historyStart.Add(time.Microsecond)
		odd := aToken("zoë \xff\x00%", "Laptop % \xfe")
		succeed(t, store.AddToken(t.Context(), odd), store.AddToken(t.Context(), whole))
		return []tokens.Token{whole, odd}
	}},
	{"they are ordered, and names belong to users", func(t *testing.T, store tokens.Store) []tokens.Token {
		want := []tokens.Token{aToken("a", "b"), aToken("a", "c"), aToken("a!", "a"), aToken("b", "b")}
		for _, token := range slices.Backward(want) {
			succeed(t, store.AddToken(t.Context(), token))
		}
		return want
	}},
	{"long names", func(t *testing.T, store tokens.Store) []tokens.Token {
		long := strings.Repeat("例え", 10_000)
		want := []tokens.Token{aToken(long+"1", long+"1"), aToken(long+"1", long+"2"), aToken(long+"2", long+"1")}
		for _, token := range want {
			succeed(t, store.AddToken(t.Context(), token))
		}
		if err := store.AddToken(t.Context(), want[0]); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second one: %v", err)
		}
		succeed(t, store.DeleteToken(t.Context(), want[1].User, want[1].Name))
		return slices.Delete(want, 1, 2)
	}},
	{"a name is used once", func(t *testing.T, store tokens.Store) []tokens.Token {
		first, second := aToken("ann", "phone"), aToken("ann", "phone")
		second.Hash[0]++
		succeed(t, store.AddToken(t.Context(), first))
		if err := store.AddToken(t.Context(), second); !errors.Is(err, fs.ErrExist) {
			t.Errorf("the second: %v", err)
		}
		return []tokens.Token{first}
	}},
	{"deleted", func(t *testing.T, store tokens.Store) []tokens.Token {
		keep, again := aToken("ann", "phone"), aToken("ann", "laptop")
		succeed(t, store.AddToken(t.Context(), keep), store.AddToken(t.Context(), again),
			store.AddToken(t.Context(), aToken("bob", "laptop")),
			store.DeleteToken(t.Context(), "ann", "laptop"), store.DeleteToken(t.Context(), "bob", "laptop"))
		again.Hash[0]++
		succeed(t, store.AddToken(t.Context(), again))
		return []tokens.Token{again, keep}
	}},
	{"used", func(t *testing.T, store tokens.Store) []tokens.Token {
		used, other := aToken("ann", "phone"), aToken("bob", "phone")
		succeed(t, store.AddToken(t.Context(), used), store.AddToken(t.Context(), other))
		for i := range 2 {
			used.Used = historyStart.Add(time.Duration(i+1) * time.Hour)
			succeed(t, store.UseToken(t.Context(), "ann", "phone", used.Used))
		}
		return []tokens.Token{used, other}
	}},
	{"a context that has ended", func(t *testing.T, store tokens.Store) []tokens.Token {
		ended, end := context.WithCancel(t.Context())
		succeed(t, store.AddToken(t.Context(), aToken("ann", "phone")))
		end()
		for what, err := range map[string]error{
			"add": store.AddToken(ended, aToken("bob", "phone")), "use": store.UseToken(ended, "ann", "phone", historyStart),
			"delete": store.DeleteToken(ended, "ann", "phone"),
		} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		}
		return []tokens.Token{aToken("ann", "phone")}
	}},
	{"at the same time", func(t *testing.T, store tokens.Store) (want []tokens.Token) {
		var adding sync.WaitGroup
		for i := range 8 {
			token := aToken("ann", strconv.Itoa(i))
			want = append(want, token)
			adding.Go(func() {
				succeed(t, store.AddToken(t.Context(), token))
				if _, err := store.AllTokens(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		adding.Wait()
		return want
	}},
}

func succeed(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
