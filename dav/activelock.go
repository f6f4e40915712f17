package dav

import (
	"context"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/davd/davd/storage/lock"
)

// lockIndex finds the locks that cover a resource among those that were found
// for a request. It is safe for concurrent use.
type lockIndex struct {
	handler   *Handler
	ctx       context.Context //nolint:containedctx // lives as long as the request
	principal string
	now       time.Time
	byRoot    map[string][]lock.Lock

	mu    sync.Mutex
	hrefs map[string]string // of the roots
}

// lockDiscovery returns the locks that cover name and, if tree, those of what is
// below it. A plain LockSystem can't tell: then there are none.
func (h *Handler) lockDiscovery(r *http.Request, name string, tree bool) (*lockIndex, error) {
	index := &lockIndex{
		handler: h, ctx: r.Context(), principal: h.principal(r), now: time.Now(),
		byRoot: make(map[string][]lock.Lock), hrefs: make(map[string]string),
	}
	manager := h.locks().manager
	if manager == nil {
		return index, nil
	}
	found, err := manager.Find(r.Context(), index.now, name, tree)
	for _, each := range found {
		index.byRoot[each.Root] = append(index.byRoot[each.Root], each)
	}
	return index, err
}

// append appends the activelock elements of the locks that cover name, those
// from above first.
func (x *lockIndex) append(dst []byte, name string) []byte {
	if len(x.byRoot) == 0 {
		return dst
	}
	return x.appendFrom(dst, name, name)
}

// appendFrom appends the locks rooted at root or above that cover name.
func (x *lockIndex) appendFrom(dst []byte, root, name string) []byte {
	if root != "/" {
		dst = x.appendFrom(dst, path.Dir(root), name)
	}
	for _, each := range x.byRoot[root] {
		if each.Covers(name) {
			dst = x.appendActiveLock(dst, each)
		}
	}
	return dst
}

// appendActiveLock appends an activelock element (RFC 4918 §14.1). The token is
// for its creator alone (§6.4, §20.4).
func (x *lockIndex) appendActiveLock(dst []byte, l lock.Lock) []byte {
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
		dst = appendText(dst, l.Token)
		dst = append(dst, "</D:href></D:locktoken>"...)
	}
	dst = append(dst, "<D:lockroot><D:href>"...)
	dst = appendText(dst, x.href(l.Root))
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
