package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// rememberFor is how long a verification holds.
	rememberFor = 10 * time.Minute
	// maxName and maxPassword bound what is hashed, in bytes.
	maxName     = 255
	maxPassword = 1024
)

var errWrong = errors.New("the user name or the password is wrong")

// table is the users of one state of the file.
type table struct {
	users map[string]*user
	names []string // sorted
}

// user is an account and its last verification. So there are never more
// verifications than users, and one ends with its user or its hash.
type user struct {
	account
	verified atomic.Pointer[verification]
}

// verification is a password that was right.
type verification struct {
	digest digest
	until  time.Time
}

// newTable keeps the verifications of accounts whose hash is as before.
func newTable(accounts map[string]account, before *table) *table {
	t := &table{users: make(map[string]*user, len(accounts))}
	for name, a := range accounts {
		u := &user{account: a}
		if before != nil && before.users[name] != nil && before.users[name].hash == a.hash {
			u = before.users[name]
		}
		t.users[name] = u
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	return t
}

// nobody stands in for all names if the file lists none.
var nobody = &user{account: account{matcher: never{}}}

// never matches no password.
type never struct{}

func (never) MatchesPassword(string) bool { return false }

// lookup returns the user and true, or any user and false: always the same one
// for the same name, so that the time of a refusal does not tell which names
// there are, whatever kinds of hashes are in the file.
func (t *table) lookup(name string) (u *user, listed bool) {
	if u = t.users[name]; u != nil {
		return u, true
	}
	if len(t.names) == 0 {
		return nobody, false
	}
	d := newDigest("", name, "")
	return t.users[t.names[binary.BigEndian.Uint64(d[:])%uint64(len(t.names))]], false
}

// digest stands for a user with a hash and a password. Nobody can compute it, or
// try passwords on it, without the key of this process.
type digest [sha256.Size]byte

// macs are HMACs with a random key of this process.
var macs = func() *sync.Pool {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
}()

func newDigest(storedHash, name, password string) (d digest) {
	mac, _ := macs.Get().(hash.Hash)
	mac.Reset()
	var size [8]byte
	for _, part := range [...]string{storedHash, name, password} {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	mac.Sum(d[:0])
	mac.Reset()
	macs.Put(mac)
	return d
}

// remembers reports whether d was verified and still holds.
func (u *user) remembers(d digest, now time.Time) bool {
	v := u.verified.Load()
	return v != nil && now.Before(v.until) && hmac.Equal(v.digest[:], d[:])
}

// knows reports whether d was verified, however long ago.
func (u *user) knows(d digest) bool { return u.remembers(d, time.Time{}) }

// logIn returns the user if name has the password. The error is errWrong if not, a
// tooManyError if remote has to come back later, or that of a ctx that ended.
func (u *Users) logIn(ctx context.Context, name, password, remote string) (*user, error) {
	now := time.Now()
	who, listed := u.current(now).lookup(name)
	d := newDigest(who.hash, name, password)
	if listed && who.remembers(d, now) {
		return who, nil
	}
	possible := listed && len(password) <= maxPassword
	password = password[:min(len(password), maxPassword)]
	err := u.gate.admit(ctx, &attempt{
		from: originOf(remote, name), digest: d,
		familiar: listed && who.knows(d), listed: listed,
		matches: func() bool {
			// A flight that has just landed is as good as one's own.
			if listed && who.remembers(d, time.Now()) {
				return true
			}
			if !who.matcher.MatchesPassword(password) || !possible {
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
