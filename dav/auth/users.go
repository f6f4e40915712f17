package auth

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

const (
	// rememberFor is how long a verified password is remembered.
	rememberFor = 10 * time.Minute
	// maxPassword limits the length of a password, in bytes.
	maxPassword = 1024
)

var errWrong = errors.New("the user name or the password is wrong")

// table holds the users of one state of the file.
type table struct {
	users map[string]*user
	names []string // sorted
}

// user is an account with its last verification. So there is at most one verification per
// user, and it ends when the user is removed or gets another hash.
type user struct {
	passfile.Account
	verified atomic.Pointer[verification]
}

// verification records a password that was right.
type verification struct {
	digest digest
	until  time.Time
}

// newTable returns a table of accounts. It keeps the verifications of accounts whose hash
// has not changed. before may be nil.
func newTable(accounts map[string]passfile.Account, before *table) *table {
	t := &table{users: make(map[string]*user, len(accounts))}
	for name, a := range accounts {
		u := &user{Account: a}
		if before != nil && before.users[name] != nil && before.users[name].Hash == a.Hash {
			u = before.users[name]
		}
		t.users[name] = u
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	return t
}

// never matches no password.
type never struct{}

func (never) MatchesPassword(string) bool { return false }

// lookup returns the user with this name and true. For an unknown name it returns another
// user and false. That is always the same user for the same name, so that the time of a
// refusal does not reveal which names exist, even if the file has several kinds of hashes.
// If the file has no users, it returns one without a password.
func (t *table) lookup(digests *digester, name string) (u *user, listed bool) {
	if u = t.users[name]; u != nil {
		return u, true
	}
	if len(t.names) == 0 {
		return &user{Account: passfile.Account{Matcher: never{}}}, false
	}
	d := digests.of("", name, "")
	return t.users[t.names[binary.BigEndian.Uint64(d[:])%uint64(len(t.names))]], false
}

// remembers reports whether d was verified at most rememberFor ago.
func (u *user) remembers(d digest, now time.Time) bool {
	v := u.verified.Load()
	return v != nil && now.Before(v.until) && hmac.Equal(v.digest[:], d[:])
}

// logIn returns the user if the password is right. Otherwise the error is errWrong, a
// tooManyError if the client has to wait, or the error of ctx.
func (u *Users) logIn(ctx context.Context, name, password, remote string) (*user, error) {
	now := time.Now()
	who, listed := u.current(now).lookup(&u.digests, name)
	d := u.digests.of(who.Hash, name, password)
	if listed && who.remembers(d, now) {
		return who, nil
	}
	possible := listed && len(password) <= maxPassword
	password = password[:min(len(password), maxPassword)]
	err := u.gate.admit(ctx, &attempt{
		from: originOf(remote, u.digests.of("", name, "")), digest: d,
		familiar: listed && who.remembers(d, time.Time{}), listed: listed,
		matches: func() bool {
			// Another request may just have verified the same password.
			if listed && who.remembers(d, time.Now()) {
				return true
			}
			if !who.Matcher.MatchesPassword(password) || !possible {
				return false
			}
			who.verified.Store(&verification{digest: d, until: time.Now().Add(rememberFor)})
			return true
		},
	})
	switch {
	case err != nil:
		return nil, err
	case !u.has(name, who):
		return nil, errWrong // removed meanwhile
	}
	return who, nil
}

// has reports whether name still is the user who, with the same hash.
func (u *Users) has(name string, who *user) bool {
	return u.current(time.Now()).users[name] == who
}
