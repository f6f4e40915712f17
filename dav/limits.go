package dav

import (
	"cmp"
	"net/http"

	"github.com/davd/davd/storage/lock"
)

// Limits bounds what clients may have at one time, so that one client leaves something to
// the others. A client is a principal (Handler.Principal) or, without a name, an address: that
// which a trusted proxy tells, and of IPv6 a network of 64 bits. An address from which
// several clients may come, because a proxy that is not declared stands there, gets three
// times as much: loopback, a Unix socket, and a trusted proxy that doesn't tell the
// address. Whatever is beyond a limit is refused with 503 (Service Unavailable) and
// Retry-After. The zero value has the defaults.
type Limits struct {
	// Operations is how many COPYs, MOVEs and DELETEs may be under way at a time, whether
	// they work, wait for others or are joined to one; OperationsOf is how many of one
	// client. Zero: 1024, and a quarter of Operations.
	Operations, OperationsOf int
	// Streams is how many requests may follow an operation to its end: event streams and
	// requests for a status document with Prefer: processing. StreamsOf is how many of one
	// client. Zero: 512, and a quarter of Streams. A request with Prefer beyond that gets
	// its answer at once.
	Streams, StreamsOf int
	// LocksOf is how many locks an address may have without a principal. How many a
	// principal may have, and all clients without one together, is the LockSystem's
	// matter. It counts only with a lock.Manager that heeds lock.Lock's Client, and
	// begins anew with the process. Zero: 2500.
	LocksOf int
}

const (
	defaultOperations = 1024
	defaultStreams    = 512
	// oneClient is the part that one client has by default: a quarter.
	oneClient = 4
)

// enterOperation lets a COPY, MOVE or DELETE begin, if it may. leave must be called at its
// end.
func (h *Handler) enterOperation(r *http.Request) (leave func(), err error) {
	most := cmp.Or(h.Limits.Operations, defaultOperations)
	return h.enter(r, &h.listings.operations, &bound{
		most: most, mostOf: cmp.Or(h.Limits.OperationsOf, max(most/oneClient, 1)),
		what: "COPYs, MOVEs and DELETEs", instead: "send fewer at a time",
	})
}

// enterStream lets a request follow an operation, if it may.
func (h *Handler) enterStream(r *http.Request) (leave func(), err error) {
	most := cmp.Or(h.Limits.Streams, defaultStreams)
	return h.enter(r, &h.listings.streams, &bound{
		most: most, mostOf: cmp.Or(h.Limits.StreamsOf, max(most/oneClient, 1)),
		what: "requests that follow an operation", instead: "read its status document now and then",
	})
}

// enter counts r until leave is called.
func (h *Handler) enter(r *http.Request, in *counted, b *bound) (leave func(), err error) {
	client := h.client(r)
	if err := in.enter(b, client, 1); err != nil {
		return nil, err
	}
	return func() { in.leave(client, 1) }, nil
}

// limitLock says in wanted whose lock it is, if its client has no name.
func (h *Handler) limitLock(r *http.Request, wanted *lock.Lock) {
	if client := h.anonymous(r); client != "" {
		wanted.Client = client
		wanted.ClientMax = shareOf(client, cmp.Or(h.Limits.LocksOf, defaultLocksOf))
	}
}

// defaultLocksOf is a quarter of what all clients without a name have.
const defaultLocksOf = lock.DefaultMaxPerPrincipal / oneClient
