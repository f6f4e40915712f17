package dav

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"
)

// lockForever is the duration of a lock that ends with the request.
const lockForever = -1

// claim is the right of a request to change what it named to confirm.
type claim struct {
	locks  webdav.LockSystem
	tokens []webdav.Condition // submitted
	// release gives the right back. It may be called more than once.
	release func()
}

// confirm makes sure that the request may change the tree a and, unless it is
// "", the tree b: that the header If holds, and that each tree is either
// covered by a lock whose token the client submitted, or not locked at all. It
// then belongs to the request until the claim is released.
//
// A LockSystem of x/net can't say which members of a tree are locked. Without
// a submitted token for the tree itself a lock on a member is found, because
// the tree can't be locked then; with one it is not.
func (h *Handler) confirm(r *http.Request, a, b string) (*claim, error) {
	var tokens []webdav.Condition
	if value := r.Header.Get("If"); value != "" {
		header, err := parseIf(value)
		if err != nil {
			return nil, err
		}
		if !h.holds(r, header, a, b) {
			return nil, &statusError{http.StatusPreconditionFailed, "the header If does not hold"}
		}
		tokens = header.tokens()
	}
	release, err := h.cover(a, b, tokens)
	if err != nil {
		return nil, err
	}
	return &claim{locks: h.locks(), tokens: tokens, release: sync.OnceFunc(release)}, nil
}

// end releases the claim and removes the submitted locks whose root is name,
// which is no more (RFC 4918 §7.5, §9.6.1: a lock goes with its root).
func (c *claim) end(name string) {
	c.release()
	now := time.Now()
	for _, token := range c.tokens {
		if covers(now, c.locks, token, name) && !covers(now, c.locks, token, path.Dir(name)) {
			_ = c.locks.Unlock(now, token.Token) // it has expired, or not
		}
	}
}

// covers reports whether the lock of token protects name.
func covers(now time.Time, locks webdav.LockSystem, token webdav.Condition, name string) bool {
	release, err := locks.Confirm(now, name, "", token)
	if err != nil {
		return false
	}
	release()
	return true
}

// cover confirms a and b with the submitted tokens as far as they go and locks
// the rest.
func (h *Handler) cover(a, b string, tokens []webdav.Condition) (release func(), err error) {
	now, locks := time.Now(), h.locks()
	if len(tokens) > 0 {
		for _, try := range [][2]string{{a, b}, {a, ""}, {b, ""}} {
			if try[0] == "" {
				continue
			}
			confirmed, err := locks.Confirm(now, try[0], try[1], tokens...)
			if errors.Is(err, webdav.ErrConfirmationFailed) {
				continue
			}
			if err != nil {
				return nil, err
			}
			rest := without([]string{a, b}, try)
			locked, err := lockAll(now, locks, rest)
			if err != nil {
				confirmed()
				return nil, err
			}
			return func() { locked(); confirmed() }, nil
		}
	}
	return lockAll(now, locks, []string{a, b})
}

// without returns the names that are not in done.
func without(names []string, done [2]string) []string {
	var rest []string
	for _, name := range names {
		if name != done[0] && name != done[1] {
			rest = append(rest, name)
		}
	}
	return rest
}

// lockAll locks the trees at names, "" excepted, for the length of a request.
func lockAll(now time.Time, locks webdav.LockSystem, names []string) (release func(), err error) {
	var tokens []string
	release = func() {
		for _, token := range tokens {
			_ = locks.Unlock(now, token) // it is ours and can't have expired
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		token, err := locks.Create(now, webdav.LockDetails{Root: name, Duration: lockForever})
		if err != nil {
			release()
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return release, nil
}

// holds evaluates the header If. A list without a tag is about the request URI
// (RFC 4918 §10.4.3); clients also send the token of a destination so, in a
// list of nothing but tokens.
func (h *Handler) holds(r *http.Request, header ifHeader, names ...string) bool {
	requested, err := h.name(r.URL.Path)
	if err != nil {
		return false
	}
	for _, list := range header {
		about := []string{requested}
		if !slices.ContainsFunc(list.conditions, func(c ifCondition) bool { return c.not || c.etag != "" }) {
			about = append(about, names...)
		}
		if list.tag != "" {
			tagged, ok := h.tagged(r, list.tag)
			if !ok {
				continue
			}
			about = []string{tagged}
		}
		for _, name := range about {
			if name != "" && h.listHolds(r, list, name) {
				return true
			}
		}
	}
	return false
}

// tagged returns the storage name of a Resource-Tag of the header If.
func (h *Handler) tagged(r *http.Request, tag string) (name string, ok bool) {
	u, err := url.Parse(tag)
	if err != nil || (u.Host != "" && !servesHost(r, u)) {
		return "", false
	}
	name, err = h.name(u.Path)
	return name, err == nil
}

func (h *Handler) listHolds(r *http.Request, list ifList, name string) bool {
	for _, c := range list.conditions {
		var holds bool
		if c.etag != "" {
			info, err := h.FileSystem.Stat(r.Context(), name)
			holds = err == nil && etag(r.Context(), info) == c.etag
		} else {
			holds = covers(time.Now(), h.locks(), webdav.Condition{Token: c.token}, name)
		}
		if holds == c.not {
			return false
		}
	}
	return true
}

// tokens returns the state tokens that the client submits by naming them.
func (header ifHeader) tokens() []webdav.Condition {
	var tokens []webdav.Condition
	for _, list := range header {
		for _, c := range list.conditions {
			if c.token != "" {
				tokens = append(tokens, webdav.Condition{Token: c.token})
			}
		}
	}
	return tokens
}
