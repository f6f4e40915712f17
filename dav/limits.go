package dav

import (
	"cmp"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/storage/lock"
)

// Limits restricts what clients may use at a time, so that one client leaves something
// for the others. A request beyond a limit gets a 503 (Service Unavailable) with
// Retry-After. The zero value means the defaults.
//
// A client is a principal (Handler.Principal) or, if that is unknown, an IPv4 address
// or an IPv6 network of 64 bits. If a trusted proxy reports the client's address, that
// one counts. Some addresses may stand for several clients behind one proxy: loopback,
// a Unix socket, and a trusted proxy that doesn't report the client's address. They get
// three times as much as one client.
type Limits struct {
	// Operations is how many COPY, MOVE and DELETE requests may be under way at a time. The
	// ones that wait for others or have joined another count too. OperationsOf is the same
	// limit for one client. Zero means 1024, and a quarter of Operations.
	Operations, OperationsOf int
	// Streams is how many requests may follow an operation to its end at a time: event
	// streams, and requests for a status document with Prefer: processing. StreamsOf is the
	// same limit for one client. Zero means 512, and a quarter of Streams. Beyond the limit, a
	// request with Prefer: processing gets the current status document immediately.
	Streams, StreamsOf int
	// LocksOf is how many locks the clients at one address may have without a principal.
	// The LockSystem itself limits the locks of each principal, and those of all clients
	// without one. LocksOf needs a lock.Manager that uses lock.Lock's Client, and the count
	// starts again at zero with the process. Zero means 2500.
	LocksOf int
}

const (
	defaultOperations = 1024
	defaultStreams    = 512
)

// enterOperation counts a COPY, MOVE or DELETE as under way, or returns a 503. The
// caller must call leave when the operation ends.
func (h *Handler) enterOperation(r *request) (leave func(), err error) {
	most := cmp.Or(h.Limits.Operations, defaultOperations)
	return h.enter(r, &h.listings.operations, &limit.Bound{
		Most: most, MostOf: cmp.Or(h.Limits.OperationsOf, max(most/limit.OneClient, 1)),
		What: "COPYs, MOVEs and DELETEs", Instead: "send fewer at a time",
	})
}

// enterStream counts a request that follows an operation, or returns a 503.
func (h *Handler) enterStream(r *request) (leave func(), err error) {
	most := cmp.Or(h.Limits.Streams, defaultStreams)
	return h.enter(r, &h.listings.streams, &limit.Bound{
		Most: most, MostOf: cmp.Or(h.Limits.StreamsOf, max(most/limit.OneClient, 1)),
		What: "requests that follow an operation", Instead: "read its status document now and then",
	})
}

// enter counts r until the caller calls leave.
func (h *Handler) enter(r *request, in *limit.Counter, b *limit.Bound) (leave func(), err error) {
	client := h.client(r)
	if err := in.Enter(b, client, 1); err != nil {
		return nil, err
	}
	return func() { in.Leave(client, 1) }, nil
}

// limitLock sets the client that wanted counts for, if r has no principal.
func (h *Handler) limitLock(r *request, wanted *lock.Lock) {
	if client := h.anonymous(r); client != "" {
		wanted.Client = client
		wanted.ClientMax = limit.ShareOf(client, cmp.Or(h.Limits.LocksOf, defaultLocksOf))
	}
}

// defaultLocksOf is a quarter of what all clients without a principal may have.
const defaultLocksOf = lock.DefaultMaxPerPrincipal / limit.OneClient

// underWay counts what is under way in a Handler.
type underWay struct{ infinite, indexed, operations, streams, xml limit.Counter }
