package dav

import (
	"cmp"
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
	// client, in the sense of [Limits]. More are refused with 503 and Retry-After. Zero:
	// 64, and 16.
	Most, MostOf int
}

// NoInfinity is the value of [Listings.Infinity] that refuses Depth infinity.
const NoInfinity = -1

const (
	defaultListings   = 64
	defaultListingsOf = 16
)

// indexMembersAtOnce is how many members of collections may be in memory to be
// sorted for indexes, and how many for one client: five and
// two of the longest indexes. Each takes some 80 bytes, and as many again until the
// garbage collector comes.
const (
	indexMembersAtOnce = 1 << 19
	indexMembersOf     = 1 << 18
)

// underWay counts what a Handler has under way.
type underWay struct{ infinite, indexed, operations, streams, xml counted }

// counted is a number, in all and of each client.
type counted struct {
	mu  sync.Mutex
	all int
	of  map[string]int
}

// bound is how much may be counted.
type bound struct {
	// mostOf is for one client, three times of which is for an address from which
	// several may come.
	most, mostOf int
	// what is counted, and what the client can do instead.
	what, instead string
}

func (b *bound) refusal(most int, what string) error {
	return &statusError{
		status: http.StatusServiceUnavailable,
		reason: fmt.Sprintf("%d %s are under way, which is as many as may be: try again, or %s", most, what, b.instead),
	}
}

// enter counts n more of a client, until leave is called with the same.
func (c *counted) enter(b *bound, client string, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	share := shareOfAll(client, b.most, b.mostOf)
	switch {
	case c.all+n > b.most:
		return b.refusal(b.most, b.what)
	case c.of[client]+n > share:
		return b.refusal(share, b.what+" of this client")
	}
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.all += n
	c.of[client] += n
	return nil
}

func (c *counted) leave(client string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all -= n
	if c.of[client] -= n; c.of[client] == 0 {
		delete(c.of, client)
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
	return h.enter(r, &h.listings.infinite, &bound{
		most: cmp.Or(h.Listings.Most, defaultListings), mostOf: cmp.Or(h.Listings.MostOf, defaultListingsOf),
		what: "listings of Depth infinity", instead: "list with Depth 1",
	})
}

// indexBound is that of the members in indexes.
var indexBound = bound{
	most: indexMembersAtOnce, mostOf: indexMembersOf,
	what: "members in indexes", instead: "mount the share",
}
