// Package operation keeps the operations that a server is carrying out: COPY, MOVE, DELETE
// and PROPFIND requests that may take long. It lists them, lets identical requests share
// one, keeps an answer that a client could not receive, serves a status document for each,
// and records how they ended.
//
// A [Registry] works for any [Server]. It doesn't know what an operation does. [Documents]
// serves the status documents of a Registry.
package operation

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// Operation is a COPY, MOVE, DELETE or PROPFIND that is running or has just ended.
type Operation struct {
	// ID is that of the status document, or "" if the operation has none.
	ID string
	// Tenant is the tenant whose tree the operation works on; "" without tenants.
	Tenant string
	// Principal is the user who sent the request, or "".
	Principal string
	// Method is the method of the request.
	Method string
	// Source is the storage name of the request URI. Destination is the storage name
	// from the header Destination, or "".
	Source, Destination string
	// Started is when the operation began to walk its tree.
	Started time.Time
	// Ended is when the operation ended, and Status is the status of its answer,
	// whether a client got it or not. Both are zero while the operation is running.
	Ended  time.Time
	Status int
	// Stopping says that the operation is running and a request told it to stop.
	Stopping bool
	// Progress is the progress when [Registry.Operations] was called, or at the end.
	Progress interim.Progress
}

// operation is an Operation while it runs, and until its record is written.
type operation struct {
	Operation
	depth     int
	overwrite bool
	// success is the status of the answer if the operation does not fail.
	success int
	// key is zero and hold nil for a PROPFIND: no other request joins it, and it changes
	// nothing.
	key   Key
	hold  *Hold
	leave func() // called at the end; may be nil
	far   *far   // not nil if another server works on it
	// ctx is the context of the work. cancel ends it with a cause.
	ctx     context.Context //nolint:containedctx // lives as long as the operation
	cancel  context.CancelCauseFunc
	monitor Monitor
	pace    pace

	lifecycle
}

// lifecycle is where an operation is in its life. The Registry's mu guards it.
//
//	running ── end ──▶ ended ── the record is written ──▶ only the record is left
//	                     └───── a client deletes the document ──▶ forgotten
type lifecycle struct {
	state state
	// waiting is the number of requests that wait for the answer.
	waiting int
	promise promise
	// held says that other servers don't find the result, because a request waits for it here.
	held bool
	// id names the operation in URLs. It is "" until the first client needs it.
	id        string
	recording recording
	// watched says that other servers wait for its next report.
	watched bool
	// followers is how many requests follow it through its status document, if it is far. pursued
	// says that a goroutine looks at its record.
	followers int
	pursued   bool
	// status, err and endedAt are the result, from ended on. done is closed then.
	status  int
	err     error
	endedAt time.Time
	done    chan struct{}
	// answer is the answer that is kept until a client gets it.
	answer *keptAnswer
}

type state int

const (
	running state = iota
	ended
	forgotten
)

// promise is what clients know about an operation that goes on without them.
type promise int

const (
	promisedNothing promise = iota
	// promisedContinuation: the answer to a client was or will be a 202.
	promisedContinuation
	// promiseDelivered: the 202 has reached the client.
	promiseDelivered
)

// recording says whether a running operation has a record.
type recording int

const (
	unrecorded recording = iota
	// announced: a client knows the address of the operation, so it gets a record soon.
	announced
	recorded
)

// newOperation returns an operation for the request r on the given resources. Its context
// ends with ctx.
func newOperation(ctx context.Context, r Request, source, destination string, monitor Monitor, success int) *operation {
	op := &operation{
		Operation: Operation{
			Principal: r.Principal, Method: r.Method, Source: source, Destination: destination, Started: time.Now(),
		},
		depth: r.Depth, overwrite: r.Overwrite, success: success, key: r.Key, monitor: monitor,
		lifecycle: lifecycle{waiting: 1, done: make(chan struct{})},
	}
	op.Tenant = tenantOf(r.Context())
	op.ctx, op.cancel = context.WithCancelCause(ctx)
	return op
}

func tenantOf(ctx context.Context) string {
	tenant, _ := storage.TenantOf(ctx)
	return tenant
}

// snapshot returns the Operation as it is now.
func (op *operation) snapshot() Operation {
	snapshot := op.Operation
	snapshot.ID, snapshot.Ended, snapshot.Status = op.id, op.endedAt, op.status
	snapshot.Stopping = op.state == running && op.stopping()
	snapshot.Progress = op.monitor.Snapshot()
	return snapshot
}

// identify returns the ID, at least 128 random bits.
func (op *operation) identify() string {
	if op.id == "" {
		op.id = newID()
	}
	return op.id
}

// newID returns a random ID of letters and digits. It has no hyphen, so that commands don't take it
// for a flag, and a double click selects it whole.
func newID() string { return strings.ToLower(rand.Text()) }

// end takes note of the result err. success is the status without an error.
func (l *lifecycle) end(err error, success int) {
	l.state, l.status, l.err, l.endedAt = ended, success, err, time.Now()
	if !status.Answered(err) {
		l.status = status.Of(err)
	}
}

// shared reports whether the record of op ends with its claim.
func (op *operation) shared() bool { return op.hold != nil && op.hold.End != nil }

// probes reports whether op is a probe, which has no status document.
func (op *operation) probes() bool { return storage.Reserved(op.Source) }

// lasts reports whether the record of op, which has an ID, is kept after the end. A
// PROPFIND is kept only if it took long.
func (op *operation) lasts() bool {
	return op.key.joinable() || op.endedAt.Sub(op.Started) >= historyInterval
}

// historyInterval is the age at which a running operation gets a record, and the time
// between two updates of it. A record that could not be written is tried again after it.
const historyInterval = 5 * time.Second

// errStopped matches the cause when a request, or a change of rights, stops an operation.
var errStopped = errors.New("stopped")

// stoppedError is such a cause. The error in it is the answer to the client. by is "" if no request
// stopped it.
type stoppedError struct {
	error
	by history.Stopper
}

func (e *stoppedError) Unwrap() error { return e.error }

// Is makes it match errStopped.
func (*stoppedError) Is(target error) bool { return target == errStopped }

// stop stops op on request of by, with the reason for its client. Its status is then 403, after
// which a client should not repeat its request (RFC 9110 §15.5.4). After a 503 it would.
func (op *operation) stop(by history.Stopper, reason string) {
	op.cancel(&stoppedError{&status.Error{Status: http.StatusForbidden, Reason: reason}, by})
}

// stopping reports whether a request told op to stop. If op is running, it is rolling
// back, or it is too late to stop it.
func (op *operation) stopping() bool { return errors.Is(context.Cause(op.ctx), errStopped) }
