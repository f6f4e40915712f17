package pgstate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// These methods implement webdav.LockSystem, for handlers that know nothing more, as those of
// lock.System do. A lock that Confirm holds is held for the requests of this process alone: other
// nodes don't know about it.

// holds are the tokens of the locks that Confirm holds.
type holds struct {
	mu     sync.Mutex
	tokens map[string]bool
}

// list returns the tokens.
func (h *holds) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]string, 0, len(h.tokens)) // An empty array must not be NULL.
	for token := range h.tokens {
		list = append(list, token)
	}
	return list
}

// take holds tokens until release is called for the first time. ok is false if one is held.
func (h *holds) take(tokens ...string) (release func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.ContainsFunc(tokens, func(token string) bool { return h.tokens[token] }) {
		return nil, false
	}
	for _, token := range tokens {
		h.tokens[token] = true
	}
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, token := range tokens {
			delete(h.tokens, token)
		}
	}), true
}

// Create implements webdav.LockSystem. A lock with neither an owner nor a timeout ends with this
// node, unless it is refreshed: x/net's handler makes one for nearly every request.
func (l *locks) Create(now time.Time, details webdav.LockDetails) (token string, err error) {
	got, err := l.acquire(context.Background(), now, lock.Lock{
		Root: storage.Clean(details.Root), ZeroDepth: details.ZeroDepth, OwnerXML: details.OwnerXML, Duration: details.Duration,
	}, details.OwnerXML == "" && details.Duration < 0)
	if errors.Is(err, webdav.ErrLocked) {
		err = webdav.ErrLocked // x/net compares with ==
	}
	return got.Token, err
}

// Refresh implements webdav.LockSystem.
func (l *locks) Refresh(now time.Time, token string, duration time.Duration) (webdav.LockDetails, error) {
	release, ok := l.holds.take(token)
	if !ok {
		return webdav.LockDetails{}, webdav.ErrLocked
	}
	release() // A held lock would not expire.
	got, err := l.renew(context.Background(), now, token, duration)
	if err != nil {
		return webdav.LockDetails{}, err
	}
	return webdav.LockDetails{Root: got.Root, Duration: got.Duration, OwnerXML: got.OwnerXML, ZeroDepth: got.ZeroDepth}, nil
}

// Unlock implements webdav.LockSystem.
func (l *locks) Unlock(now time.Time, token string) error {
	release, ok := l.holds.take(token)
	if !ok {
		return webdav.ErrLocked
	}
	release()
	return l.Release(context.Background(), now, token)
}

// Confirm implements webdav.LockSystem. As with webdav.NewMemLS, a condition only says that the
// client has the token.
func (l *locks) Confirm(now time.Time, name0, name1 string, conditions ...webdav.Condition) (release func(), err error) {
	var tokens []string
	for _, name := range []string{name0, name1} {
		if name == "" {
			continue
		}
		token, err := l.claimable(now, storage.Clean(name), conditions)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(tokens, token) {
			tokens = append(tokens, token)
		}
	}
	release, ok := l.holds.take(tokens...)
	if !ok {
		return nil, webdav.ErrConfirmationFailed
	}
	return release, nil
}

// claimable returns the token of a lock that covers name and that a condition names. It fails if
// any lock that covers name is held: shared locks may overlap, but only one request at a time may
// have exclusive access.
func (l *locks) claimable(now time.Time, name string, conditions []webdav.Condition) (string, error) {
	covering, err := l.Find(context.Background(), now, name, false)
	if err != nil {
		return "", err
	}
	held := l.holds.list()
	for _, c := range covering {
		if slices.Contains(held, c.Token) {
			return "", webdav.ErrConfirmationFailed
		}
	}
	for _, c := range covering {
		if slices.ContainsFunc(conditions, func(cond webdav.Condition) bool { return cond.Token == c.Token }) {
			return c.Token, nil
		}
	}
	return "", webdav.ErrConfirmationFailed
}
