package auth

import (
	"context"
	"encoding/binary"
	"slices"
	"sync/atomic"

	"github.com/davd/davd/dav/auth/passfile"
)

// Account is the account of a user.
type Account struct {
	passfile.Account
	// Groups are the names of the user's groups.
	Groups []string
}

// Users is a [Verifier] of users that the program knows. The zero value has no users.
type Users struct {
	table   atomic.Pointer[table]
	digests digester
}

// NewUsers returns Users that are listed by their names.
func NewUsers(users map[string]Account) *Users {
	u := new(Users)
	u.Set(users)
	return u
}

// Set replaces the users. Those that are removed, or have another password or other groups,
// must log in again.
func (u *Users) Set(users map[string]Account) {
	for {
		before := u.table.Load()
		if u.table.CompareAndSwap(before, newTable(users, before)) {
			return
		}
	}
}

// table holds the users at a time.
type table struct {
	users map[string]*user
	names []string // sorted
}

// user is the Stamp of an Identity. A user who is removed, or whose account changes, gets
// another one.
type user struct {
	Account
	id *Identity
}

// newTable returns a table of users. Users who have not changed stay. before may be nil.
func newTable(users map[string]Account, before *table) *table {
	t := &table{users: make(map[string]*user, len(users))}
	for name, account := range users {
		if before != nil && before.users[name] != nil && before.users[name].same(account) {
			t.users[name] = before.users[name]
		} else {
			t.users[name] = newUser(name, account)
		}
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	return t
}

func newUser(name string, account Account) *user {
	u := &user{Account: account}
	u.id = &Identity{Name: name, Groups: account.Groups, Stamp: u}
	return u
}

func (u *user) same(other Account) bool {
	return u.Hash == other.Hash && slices.Equal(u.Groups, other.Groups)
}

// never matches no password.
type never struct{}

func (never) MatchesPassword(string) bool { return false }

func (u *Users) current() *table {
	if t := u.table.Load(); t != nil {
		return t
	}
	return &table{}
}

// lookup returns the user with this name and true. For an unknown name it returns another user
// and false. That is always the same user for the same name, so that the time of a refusal does
// not reveal which names exist, even if there are several kinds of hashes. Without users, it
// returns one without a password.
func (t *table) lookup(digests *digester, name string) (u *user, listed bool) {
	if u = t.users[name]; u != nil {
		return u, true
	}
	if len(t.names) == 0 {
		return &user{Account: Account{Account: passfile.Account{Matcher: never{}}}}, false
	}
	d := digests.of(name)
	return t.users[t.names[binary.BigEndian.Uint64(d[:])%uint64(len(t.names))]], false
}

func (t *table) verify(digests *digester, name, password string) (*Identity, error) {
	who, listed := t.lookup(digests, name)
	matches := who.Matcher.MatchesPassword(password)
	switch {
	case !listed:
		return nil, ErrUnknown
	case !matches:
		return nil, ErrWrong
	}
	return who.id, nil
}

func (t *table) probe(name string) Standing {
	if t.users[name] == nil {
		return Unknown
	}
	return Known
}

func (t *table) find(name string) (*Identity, error) {
	if u := t.users[name]; u != nil {
		return u.id, nil
	}
	return nil, ErrUnknown
}

func (t *table) valid(id *Identity) bool {
	u, ok := id.Stamp.(*user)
	return ok && t.users[id.Name] == u
}

// Verify implements [Verifier].
func (u *Users) Verify(_ context.Context, name, password string) (*Identity, error) {
	return u.current().verify(&u.digests, name, password)
}

// Valid implements [Verifier].
func (u *Users) Valid(id *Identity) bool { return u.current().valid(id) }

// Probe implements [Prober].
func (u *Users) Probe(name string) Standing { return u.current().probe(name) }

// Find implements [Finder].
func (u *Users) Find(_ context.Context, name string) (*Identity, error) {
	return u.current().find(name)
}
