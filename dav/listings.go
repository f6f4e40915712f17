package dav

import (
	"cmp"
	"net/http"

	"github.com/davd/davd/dav/internal/limit"
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
	return h.enter(r, &h.listings.infinite, &limit.Bound{
		Most: cmp.Or(h.Listings.Most, defaultListings), MostOf: cmp.Or(h.Listings.MostOf, defaultListingsOf),
		What: "listings of Depth infinity", Instead: "list with Depth 1",
	})
}

// indexBound is the limit of the members in indexes.
var indexBound = limit.Bound{
	Most: indexMembersAtOnce, MostOf: indexMembersOf,
	What: "members in indexes", Instead: "mount the share",
}
