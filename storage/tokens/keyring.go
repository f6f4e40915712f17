package tokens

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// Prefix begins each password, so that programs that look for leaked secrets find it.
	Prefix = "davd_"
	// MaxPerUser limits the tokens of a user that have not expired.
	MaxPerUser = 50
	// MaxName limits the length of a name, in bytes.
	MaxName = 100
	// useEvery is the shortest time between two records of the use of a token.
	useEvery = time.Hour
	// freshFor is how old the tokens in memory may be if other processes change the Store.
	freshFor = time.Second
	// readTimeout is how long reading them may take, and readPause the time after a failure: logins
	// wait for it.
	readTimeout = 2 * time.Second
	readPause   = 10 * time.Second
)

// nameError is an error with a text of its own that matches another one.
type nameError struct {
	text string
	err  error
}

func (e *nameError) Error() string { return e.text }

func (e *nameError) Unwrap() error { return e.err }

// Keyring holds the tokens of a [Store] in memory. While it is in use, only it may change
// the Store, unless NewShared made it. It is safe for concurrent use.
type Keyring struct {
	store  Store
	shared bool

	changing sync.Mutex // held during a change of the store, and while it is read

	mu     sync.RWMutex
	byHash map[[sha256.Size]byte]*Token
	expire time.Time // when byHash is too old
}

// New returns the Keyring of a Store.
func New(ctx context.Context, store Store) (*Keyring, error) {
	all, err := store.AllTokens(ctx)
	if err != nil {
		return nil, err
	}
	return &Keyring{store: store, byHash: hashed(all), expire: time.Now().Add(freshFor)}, nil
}

// NewShared is like [New] for a Store that other processes change too. Their changes take effect
// within a second. While the Store can't be read, the tokens in memory remain valid.
func NewShared(ctx context.Context, store Store) (*Keyring, error) {
	k, err := New(ctx, store)
	if err == nil {
		k.shared = true
	}
	return k, err
}

func hashed(all []Token) map[[sha256.Size]byte]*Token {
	byHash := make(map[[sha256.Size]byte]*Token, len(all))
	for i := range all {
		byHash[all[i].Hash] = &all[i]
	}
	return byHash
}

// stale reports whether other processes may have changed the Store.
func (k *Keyring) stale() bool {
	if !k.shared {
		return false
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return time.Now().After(k.expire)
}

// refresh reads a Store that other processes change.
func (k *Keyring) refresh() {
	if !k.stale() {
		return
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	if k.stale() { // Another call may have read it meanwhile.
		k.refreshLocked()
	}
}

// refreshLocked reads a Store that other processes change, with changing held.
func (k *Keyring) refreshLocked() {
	if !k.shared {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	all, err := k.store.AllTokens(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.expire = time.Now().Add(readPause)
		return
	}
	k.byHash, k.expire = hashed(all), time.Now().Add(freshFor)
}

// Add adds a token with the User, Name, ReadOnly and Expires of t. It returns the
// password, which is not kept anywhere. An expired token of the same name is replaced. If
// the user has another one of this name, the error matches fs.ErrExist.
func (k *Keyring) Add(ctx context.Context, t Token) (password string, added Token, err error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	k.refreshLocked()
	now := time.Now()
	if err := k.check(&t, now); err != nil {
		return "", Token{}, err
	}
	if old, ok := k.get(t.User, t.Name); ok {
		if !old.Expired(now) {
			return "", Token{}, &nameError{fmt.Sprintf("%s already has an application password %q: revoke it, or choose another name", t.User, t.Name), fs.ErrExist}
		}
		if err := k.remove(ctx, old); err != nil {
			return "", Token{}, err
		}
	}
	password = Prefix + strings.ToLower(rand.Text())
	t.Hash, t.Created, t.Used = sha256.Sum256([]byte(password)), now.UTC().Truncate(time.Microsecond), time.Time{}
	t.Expires = t.Expires.UTC().Truncate(time.Microsecond)
	if err := k.store.AddToken(ctx, t); err != nil {
		return "", Token{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byHash[t.Hash] = &t
	return password, t, nil
}

func (k *Keyring) check(t *Token, now time.Time) error {
	switch {
	case t.User == "":
		return errors.New("the user name is missing")
	case t.Name == "" || len(t.Name) > MaxName || !utf8.ValidString(t.Name) || strings.ContainsFunc(t.Name, unicode.IsControl):
		return fmt.Errorf("%q is not a name for an application password: choose one of 1 to %d bytes, such as phone", t.Name, MaxName)
	case t.Expired(now):
		return errors.New("the application password would have expired already")
	}
	valid := 0
	for _, other := range k.list(t.User) {
		if !other.Expired(now) {
			valid++
		}
	}
	if valid >= MaxPerUser {
		return fmt.Errorf("%s has %d application passwords, which is the limit: revoke one that is no longer used", t.User, valid)
	}
	return nil
}

// List returns the tokens of a user, or all if user is empty, ordered by User and then by
// Name. It includes expired ones.
func (k *Keyring) List(user string) []Token {
	k.refresh()
	return k.list(user)
}

func (k *Keyring) list(user string) []Token {
	k.mu.RLock()
	defer k.mu.RUnlock()
	list := []Token{}
	for _, t := range k.byHash {
		if user == "" || t.User == user {
			list = append(list, *t)
		}
	}
	slices.SortFunc(list, byName)
	return list
}

func (k *Keyring) get(user, name string) (Token, bool) {
	for _, t := range k.list(user) {
		if t.Name == name {
			return t, true
		}
	}
	return Token{}, false
}

// Revoke removes a token. From then on it is not valid. If it does not exist, the error
// matches fs.ErrNotExist.
func (k *Keyring) Revoke(ctx context.Context, user, name string) (Token, error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	k.refreshLocked()
	t, ok := k.get(user, name)
	if !ok {
		return Token{}, &nameError{fmt.Sprintf("%s has no application password %q", user, name), fs.ErrNotExist}
	}
	return t, k.remove(ctx, t)
}

// remove removes a token from the memory first: if the store fails, the token is refused
// nevertheless, until the next start.
func (k *Keyring) remove(ctx context.Context, t Token) error {
	k.mu.Lock()
	delete(k.byHash, t.Hash)
	k.mu.Unlock()
	err := k.store.DeleteToken(ctx, t.User, t.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Find returns the token of the user with this password. It returns false without one,
// and if it has expired.
func (k *Keyring) Find(user, password string) (Token, bool) {
	if !strings.HasPrefix(password, Prefix) {
		return Token{}, false
	}
	t, ok := k.byHashOf(sha256.Sum256([]byte(password)))
	return t, ok && t.User == user
}

// Valid reports whether t still exists and has not expired.
func (k *Keyring) Valid(t *Token) bool {
	_, ok := k.byHashOf(t.Hash)
	return ok
}

func (k *Keyring) byHashOf(hash [sha256.Size]byte) (Token, bool) {
	k.refresh()
	k.mu.RLock()
	defer k.mu.RUnlock()
	t := k.byHash[hash]
	if t == nil || t.Expired(time.Now()) {
		return Token{}, false
	}
	return *t, true
}

// Use records that t was used now. It does so once an hour at most.
func (k *Keyring) Use(ctx context.Context, t *Token) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !k.use(t, now) {
		return nil
	}
	return k.store.UseToken(ctx, t.User, t.Name, now)
}

// use reports whether the use of t must be recorded.
func (k *Keyring) use(t *Token, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.byHash[t.Hash]
	if kept == nil || now.Sub(kept.Used) < useEvery {
		return false
	}
	kept.Used = now
	return true
}
