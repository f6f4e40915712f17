package dav

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/davd/davd/storage/tree"
)

// Listings bounds what a PROPFIND with Depth infinity may cost. The zero value
// refuses none for its size.
type Listings struct {
	// Infinity says how many members such a listing may have: once so many have
	// been found, no further collection is entered, and each that is left out is
	// in the multi-status with a status of 507 (Insufficient Storage). Zero: any
	// number. [NoInfinity]: it is refused as a whole with 403 and the condition
	// propfind-finite-depth (RFC 4918 §9.1).
	Infinity int
	// Most is how many of them may be under way at a time, MostOf how many of one
	// principal, if it has a name. More are refused with 503 and Retry-After. Zero:
	// 64, and 16.
	Most, MostOf int
}

// NoInfinity is the value of [Listings.Infinity] that refuses Depth infinity.
const NoInfinity = -1

const (
	defaultListings   = 64
	defaultListingsOf = 16
)

// underWay counts the listings that a Handler has under way.
type underWay struct {
	mu  sync.Mutex
	all int
	of  map[string]int // by principal
}

// enter counts one more, for as long as until leave is called.
func (u *underWay) enter(l Listings, principal string) (leave func(), err error) {
	most, mostOf := l.Most, l.MostOf
	if most == 0 {
		most = defaultListings
	}
	if mostOf == 0 {
		mostOf = defaultListingsOf
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.all >= most:
		return nil, &statusError{
			status: http.StatusServiceUnavailable,
			reason: fmt.Sprintf("%d listings of Depth infinity are under way, which is as many as may be: try again, or list with Depth 1", u.all),
		}
	case principal != "" && u.of[principal] >= mostOf:
		return nil, &statusError{
			status: http.StatusServiceUnavailable,
			reason: fmt.Sprintf("%d listings of Depth infinity of this user are under way, which is as many as may be: try again, or list with Depth 1", mostOf),
		}
	}
	u.all++
	if principal == "" {
		return func() { u.leave("") }, nil
	}
	if u.of == nil {
		u.of = make(map[string]int)
	}
	u.of[principal]++
	return func() { u.leave(principal) }, nil
}

func (u *underWay) leave(principal string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all--
	if principal == "" {
		return
	}
	if u.of[principal]--; u.of[principal] == 0 {
		delete(u.of, principal)
	}
}

// enterListing lets a listing of a collection with this depth begin, if it may.
func (h *Handler) enterListing(r *http.Request, depth int) (leave func(), err error) {
	if depth != tree.Infinite {
		return func() {}, nil
	}
	if h.Listings.Infinity < 0 {
		return nil, &statusError{
			status: http.StatusForbidden, condition: "propfind-finite-depth",
			reason: "this server lists one collection at a time: ask with Depth 0 or 1",
		}
	}
	return h.listings.enter(h.Listings, h.principal(r))
}
