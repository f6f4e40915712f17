package dav

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// Listings restricts the cost of PROPFINDs with Depth infinity. The zero value allows
// listings of any size.
type Listings struct {
	// Infinity is how many members such a listing may have. Once that many have been found,
	// it enters no more collections, and reports each collection that it leaves out with
	// the status 507 (Insufficient Storage). Zero means any number. [NoInfinity]: such a listing
	// gets a 403 (Forbidden) with the condition propfind-finite-depth (RFC 4918 §9.1).
	Infinity int
	// Most is how many such listings may be under way at a time, and MostOf how many of one
	// client, as defined by [Limits]. Others get a 503 (Service Unavailable) with
	// Retry-After. Zero means 64, and 16.
	Most, MostOf int
}

// NoInfinity is the value of [Listings.Infinity] that refuses Depth infinity.
const NoInfinity = -1

const (
	defaultListings   = 64
	defaultListingsOf = 16
)

// indexMembersAtOnce is how many members of collections may be in memory at a time to
// be sorted for indexes, and indexMembersOf how many for one client. That is enough for
// five, and two, of the longest indexes. Each member takes about 80 bytes, and as much
// again until the next garbage collection.
const (
	indexMembersAtOnce = 1 << 19
	indexMembersOf     = 1 << 18
)

// underWay counts what is under way in a Handler.
type underWay struct{ infinite, indexed, operations, streams, xml counted }

// counted is a number in total and for each client.
type counted struct {
	mu  sync.Mutex
	all int
	of  map[string]int
}

// bound is the limit of a counted.
type bound struct {
	// most is the limit in total, and mostOf that for one client. An address that several
	// clients may share gets three times mostOf.
	most, mostOf int
	// what is counted, and instead is what the client can do instead.
	what, instead string
}

func (b *bound) refusal(most int, what string) error {
	return &status.Error{
		Status: http.StatusServiceUnavailable,
		Reason: fmt.Sprintf("%d %s are under way, which is the limit: try again later, or %s", most, what, b.instead),
	}
}

// enter adds n to the client's count, or returns a 503. The caller must call leave with
// the same n later.
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

// enterListing counts a listing of a collection with this depth, or refuses it.
func (h *Handler) enterListing(r *request, depth int) (leave func(), err error) {
	if depth != tree.Infinite {
		return func() {}, nil
	}
	if h.Listings.Infinity < 0 {
		return nil, &status.Error{
			Status: http.StatusForbidden, Condition: "propfind-finite-depth",
			Reason: "this server lists one collection at a time: ask with Depth 0 or 1",
		}
	}
	return h.enter(r, &h.listings.infinite, &bound{
		most: cmp.Or(h.Listings.Most, defaultListings), mostOf: cmp.Or(h.Listings.MostOf, defaultListingsOf),
		what: "listings of Depth infinity", instead: "list with Depth 1",
	})
}

// indexBound is the limit of the members in indexes.
var indexBound = bound{
	most: indexMembersAtOnce, mostOf: indexMembersOf,
	what: "members in indexes", instead: "mount the share",
}
