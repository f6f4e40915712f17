package dav

import (
	"cmp"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
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
	// Uploads is how many uploads in parts may have begun and not ended, and UploadsOf the same
	// limit for one client. Zero means 1000, and a quarter of Uploads.
	Uploads, UploadsOf int
	// UploadSize is the largest file that may be uploaded in parts, in bytes. Zero means any.
	UploadSize int64
	// UploadAge is how long an upload waits for its next part before it is removed. Zero means
	// a day.
	UploadAge time.Duration
}

// enterOperation counts a COPY, MOVE or DELETE as under way, or returns a 503. The
// caller must call leave when the operation ends.
func (r *request) enterOperation() (leave func(), err error) {
	return r.enter(&r.h.kept().listings.operations, limit.Operations(r.h.Limits.Operations, r.h.Limits.OperationsOf))
}

// enterStream counts a request that follows an operation, or returns a 503.
func (r *request) enterStream() (leave func(), err error) {
	return r.enter(&r.h.kept().listings.streams, limit.Streams(r.h.Limits.Streams, r.h.Limits.StreamsOf))
}

// enter counts r until the caller calls leave.
func (r *request) enter(in *limit.Counter, b *limit.Bound) (leave func(), err error) {
	client := r.client()
	if err := in.Enter(b, client, 1); err != nil {
		return nil, err
	}
	return func() { in.Leave(client, 1) }, nil
}

// defaultLocksOf is a quarter of what all clients without a principal may have.
const defaultLocksOf = lock.DefaultMaxPerPrincipal / limit.OneClient

// underWay counts what is under way in a Handler.
type underWay struct{ infinite, indexed, operations, streams, xml limit.Counter }

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

// enterListing counts a listing of a collection with this depth, or refuses it.
func (r *request) enterListing(depth int) (leave func(), err error) {
	if depth != tree.Infinite {
		return func() {}, nil
	}
	if r.h.Listings.Infinity < 0 {
		return nil, &status.Error{
			Status: http.StatusForbidden, Condition: "propfind-finite-depth",
			Reason: "this server lists one collection at a time: ask with Depth 0 or 1",
		}
	}
	return r.enter(&r.h.kept().listings.infinite, &limit.Bound{
		Most: cmp.Or(r.h.Listings.Most, 64), MostOf: cmp.Or(r.h.Listings.MostOf, 16),
		What: "listings of Depth infinity", Instead: "list with Depth 1",
	})
}

// client returns the key that identifies r's client for the limits of one client. It is
// the principal or, if that is unknown, the address that TrustedProxies report, or that
// of the connection.
func (r *request) client() string {
	if r.clientName == "" {
		r.clientName = r.nameClient()
	}
	return r.clientName
}

// nameClient returns the result of client.
func (r *request) nameClient() string {
	if name := r.principal(); name != "" {
		return "user " + tenant.Prefix(r.Context()) + "/" + name
	}
	return r.h.TrustedProxies.ClientKey(r.Request)
}
