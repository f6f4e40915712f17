package dav

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/tree"
)

// claim is the right of a request to change what it named to confirm.
type claim struct {
	locks webdav.LockSystem
	used  []usedToken
	// release gives the right back. It may be called more than once.
	release func()
}

// confirm makes sure that the request may change the tree a and, unless it is
// "", the tree b: that the header If holds, and that each tree is either
// covered by a lock whose token the client submitted, or not locked at all. It
// then belongs to the request until the claim is released.
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
	c := &coverage{ctx: r.Context(), fsys: h.FileSystem, locks: h.locks(), now: time.Now(), tokens: tokens}
	if err := c.trees(a, b); err != nil {
		c.release()
		return nil, err
	}
	return &claim{locks: c.locks, used: c.used, release: sync.OnceFunc(c.release)}, nil
}

// end releases the claim and removes the submitted locks whose root was in the
// tree name, which is no more (RFC 4918 §7.5, §9.6.1: a lock goes with its
// root).
func (c *claim) end(name string) {
	c.release()
	now := time.Now()
	for _, used := range c.used {
		isRoot := !covers(now, c.locks, used.token, path.Dir(used.name))
		if isRoot && tree.Contains(name, used.name) {
			_ = c.locks.Unlock(now, used.token.Token) // it has expired, or not
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
