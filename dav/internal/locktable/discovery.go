package locktable

import (
	"context"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// Index finds the locks that cover a resource, among the locks that Discover
// read for one request. It is safe for concurrent use.
type Index struct {
	table     *Table
	ctx       context.Context //nolint:containedctx // lives as long as the request
	principal string
	now       time.Time
	byRoot    map[string][]lock.Lock
	at        place.Place // where the locks in byRoot were looked up

	mu    sync.Mutex
	hrefs map[string]string // of lock roots, by name
}

// Discover reads the locks that cover a place and, if tree is set, those below it.
// For a plain LockSystem it finds none, because that can't list its locks.
func (l *Table) Discover(ctx context.Context, principal string, at place.Place, tree bool) (*Index, error) {
	index := &Index{
		table: l, ctx: ctx, principal: principal, now: time.Now(),
		byRoot: make(map[string][]lock.Lock), hrefs: make(map[string]string), at: at,
	}
	if l.manager == nil {
		return index, nil
	}
	found, err := l.manager.Find(ctx, index.now, at.Key, tree)
	for _, each := range found {
		index.byRoot[each.Root] = append(index.byRoot[each.Root], each)
	}
	return index, err
}

// Any reports whether any lock may exist, also outside the tree that was looked up.
func (x *Index) Any() bool {
	if x == nil {
		return false
	}
	knows, ok := x.table.manager.(interface{ Any() bool })
	return len(x.byRoot) > 0 || x.table.manager != nil && (!ok || knows.Any())
}

// Add adds a lock that the LockSystem can't list.
func (x *Index) Add(l lock.Lock) { x.byRoot[l.Root] = []lock.Lock{l} }

// Found reports whether any lock was found.
func (x *Index) Found() bool { return x != nil && len(x.byRoot) > 0 }

// Append appends the activelock elements of the locks that cover a place, starting with
// the outermost. Locks on the symbolic links that led there cover it too.
func (x *Index) Append(dst []byte, at place.Place) []byte {
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
func (x *Index) covering(found []lock.Lock, root, key string) []lock.Lock {
	switch {
	case x.table.manager != nil && !storage.Overlap(x.at.Key, root):
		// A link led out of the tree that was looked up. If its locks can't be read now,
		// the answer shows none.
		elsewhere, _ := x.table.manager.Find(x.ctx, x.now, key, false)
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
func (x *Index) appendActiveLock(dst []byte, l lock.Lock, at place.Place) []byte {
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
	// The element lockroot is required, but the principal may not see the root.
	root := x.href(place.Shown(l.Root, at))
	if root == "" {
		return append(dst, "<D:lockroot/></D:activelock>"...)
	}
	dst = append(dst, "<D:lockroot><D:href>"...)
	dst = davxml.AppendText(dst, root)
	return append(dst, "</D:href></D:lockroot></D:activelock>"...)
}

func (x *Index) href(root string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	href, known := x.hrefs[root]
	if !known {
		href = x.table.href(x.ctx, root)
		x.hrefs[root] = href
	}
	return href
}

// appendTimeout appends the value of a timeout element (RFC 4918 §14.29): the rest of
// the lock's timeout, in whole seconds.
func appendTimeout(dst []byte, l lock.Lock, now time.Time) []byte {
	if l.Duration < 0 {
		return append(dst, "Infinite"...)
	}
	left := (l.Expires.Sub(now) + time.Second - 1) / time.Second
	return strconv.AppendInt(append(dst, "Second-"...), int64(max(left, 0)), 10)
}
