package operation

import (
	"context"
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/history"
)

// Server is what a Registry needs of the server whose operations it keeps.
type Server interface {
	// Claims are the resources that requests are changing.
	Claims() *Claims
	// Records returns the records of ended operations that the tenant of a context may see.
	Records() history.Store
	// Peers are the operations of all servers that serve the same files. It is nil if this is the
	// only one.
	Peers() Peers
	// Record returns r as the history of all tenants has it.
	Record(tenant string, r history.Record) history.Record
	// Log takes note of an operation that ended while no client was waiting for it, and of a
	// record that could not be written.
	Log(Operation, error)
	// OnEnd returns the function to call with each operation that has ended, or nil.
	OnEnd() func(Operation)
	// Waited takes note of the ID of an operation that r has waited for.
	Waited(r *http.Request, id string)
	// Href returns the URL path of a resource.
	Href(ctx context.Context, name string) string
	// Shown returns the name of a resource as the client of ctx knows it.
	Shown(ctx context.Context, name string) string

	// Respond writes err as the final response.
	Respond(ctx context.Context, w http.ResponseWriter, err error)
	// Response returns a response that can be held.
	Response(w http.ResponseWriter, r *http.Request) *interim.Response
	// Emission says what interim responses to r report about an operation with a method on
	// the resource source.
	Emission(r *http.Request, method, source string) interim.Emission
	// Failures returns the failed members that err names, and the number of all failures. ok
	// is false if err is not about members.
	Failures(err error) (named []history.Failure, total int64, ok bool)
	// Keeps reports whether the answer to an operation that ended with err is short enough to
	// be kept until a client gets it.
	Keeps(err error) bool
	// RollsBack reports whether a stop undoes what an operation has done. destination is "" for
	// an operation without one.
	RollsBack(destination string) bool
	// Stopped says what a client should know about an operation that it stops.
	Stopped(Operation) string
	// Agrees reports whether the storage agrees with the answer to an operation that
	// succeeded. destination is "" for a DELETE.
	Agrees(ctx context.Context, method, source, destination string) bool
	// CancelsWhenGone says that an operation stops when its last client disconnects.
	CancelsWhenGone() bool
}

// Access says who may see which operations. [Documents] asks it.
type Access interface {
	// Principal returns who sent r, or "" if that is unknown.
	Principal(r *http.Request) string
	// OnePerson reports whether all requests without a principal come from one person, who
	// sees all operations without a principal.
	OnePerson() bool
	// Administers reports whether r may see and stop the operations of all principals.
	Administers(r *http.Request) bool
	// Admits reports whether the sender of r would still be let in.
	Admits(r *http.Request) bool
	// EnterStream counts a request that follows an operation, until leave is called.
	EnterStream(r *http.Request) (leave func(), err error)
	// Interrupted is for an operation that the end of a process interrupted. Only its record
	// r is left. Interrupted writes into it why the operation ended.
	Interrupted(ctx context.Context, r *history.Record)
}
