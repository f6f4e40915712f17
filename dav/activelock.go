package dav

import (
	"context"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// lockIndex finds the locks that cover a resource, among the locks that lockDiscovery
// read for one request. It is safe for concurrent use.
type lockIndex struct {
	handler   *Handler
	ctx       context.Context //nolint:containedctx // lives as long as the request
	principal string
	now       time.Time
	byRoot    map[string][]lock.Lock
	// at is where the locks in byRoot were looked up; manager is nil for a plain
	// LockSystem.
	manager tenant.LockManager
	at      place.Place

	mu    sync.Mutex
	hrefs map[string]string // of lock roots, by name
}

// lockDiscovery reads the locks that cover a place and, if tree is set, those below it.
// For a plain LockSystem it finds none, because that can't list its locks.
func (h *Handler) lockDiscovery(r *request, at place.Place, tree bool) (*lockIndex, error) {
	index := &lockIndex{
		handler: h, ctx: r.Context(), principal: r.principal(), now: time.Now(),
		byRoot: make(map[string][]lock.Lock), hrefs: make(map[string]string), at: at, manager: h.locks().manager,
	}
	manager := index.manager
	if manager == nil {
		return index, nil
	}
	found, err := manager.Find(r.Context(), index.now, at.Key, tree)
	for _, each := range found {
		index.byRoot[each.Root] = append(index.byRoot[each.Root], each)
	}
	return index, err
}

// any reports whether any lock may exist, also outside the tree that was looked up.
func (x *lockIndex) any() bool {
	if x == nil {
		return false
	}
	knows, ok := x.manager.(interface{ Any() bool })
	return len(x.byRoot) > 0 || x.manager != nil && (!ok || knows.Any())
}

// append appends the activelock elements of the locks that cover a place, starting with
// the outermost. Locks on the symbolic links that led there cover it too.
func (x *lockIndex) append(dst []byte, at place.Place) []byte {
	var shown []string
	for _, key := range append(at.Links[:len(at.Links):len(at.Links)], at.Key) {
		for _, each := range x.covering(nil, key, key) {
			if !slices.Contains(shown, each.Token) {
				dst = x.appendActiveLock(dst, each, at)
				shown = append(shown, each.Token)
			}
		}
	}
	return dst
}

// covering appends to found the locks that cover key and are rooted at root or above.
func (x *lockIndex) covering(found []lock.Lock, root, key string) []lock.Lock {
	switch {
	case x.manager != nil && !storage.Overlap(x.at.Key, root):
		// A link led out of the tree that was looked up. If its locks can't be read now,
		// the answer shows none.
		elsewhere, _ := x.manager.Find(x.ctx, x.now, key, false)
		return append(found, elsewhere...)
	case len(x.byRoot) == 0:
		return found
	case root != "/":
		found = x.covering(found, path.Dir(root), key)
	}
	for _, each := range x.byRoot[root] {
		if each.Covers(key) {
			found = append(found, each)
		}
	}
	return found
}

// appendActiveLock appends an activelock element (RFC 4918 §14.1). Only the lock's
// creator gets to see the token (§6.4, §20.4).
func (x *lockIndex) appendActiveLock(dst []byte, l lock.Lock, at place.Place) []byte {
	scope, depth := "exclusive", "infinity"
	if l.Shared {
		scope = "shared"
	}
	if l.ZeroDepth {
		depth = "0"
	}
	dst = append(dst, "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:"+scope+"/></D:lockscope>"+
		"<D:depth>"+depth+"</D:depth>"...)
	if l.OwnerXML != "" {
		dst = append(dst, "<D:owner>"+l.OwnerXML+"</D:owner>"...)
	}
	dst = append(dst, "<D:timeout>"...)
	dst = appendTimeout(dst, l, x.now)
	dst = append(dst, "</D:timeout>"...)
	if l.Principal == x.principal {
		dst = append(dst, "<D:locktoken><D:href>"...)
		dst = davxml.AppendText(dst, l.Token)
		dst = append(dst, "</D:href></D:locktoken>"...)
	}
	dst = append(dst, "<D:lockroot><D:href>"...)
	dst = davxml.AppendText(dst, x.href(place.Shown(l.Root, at)))
	return append(dst, "</D:href></D:lockroot></D:activelock>"...)
}

func (x *lockIndex) href(root string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	href, known := x.hrefs[root]
	if !known {
		href = x.handler.hrefOf(x.ctx, root)
		x.hrefs[root] = href
	}
	return href
}
