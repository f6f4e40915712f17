package dav

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// stallPart is how much of a whole answer a client must take in a StallTimeout, in bytes.
const stallPart = 64 << 10

// holdLimit is how much of a body is held before the response is committed.
const holdLimit = 256 << 10

// A response is the http.ResponseWriter of a request with an operation. It
// keeps the final response back, so that interim responses can go out until
// the last moment:
//
//	held ──────────── commit ───────── finish ──▶ done
//	 interim responses    body, newlines
//
// It has a header map of its own, because net/http sends all that is in its
// map with every interim response. mu puts the emitter's calls (interim,
// keepAlive) and the handler's in one order.
type response struct {
	w http.ResponseWriter
	// timeout is the server's WriteTimeout. The time in which nothing is to
	// be written does not count.
	timeout time.Duration
	// stall is how long a client may take none of what is written before the final
	// response is whole, where there is no timeout; 0: for ever.
	stall time.Duration
	// header is the handler's alone until the response is committed.
	header http.Header
	spare  *spareResponse // where header and body come from
	// answers counts body with those of all responses; nil: none is counted. counted
	// is what it has counted of this one.
	answers *heldAnswers
	counted int64

	mu     sync.Mutex
	state  responseState
	status int
	body   []byte // held
	err    error  // the first of a write
	// multistatus: the body is XML that a newline may stand in between two
	// calls of Write.
	multistatus bool
	// begun: some of the body has been written; wrote: since the last
	// keepAlive; flushed: it has left net/http's buffers.
	begun, wrote, flushed bool
}

type responseState int

const (
	responseHeld responseState = iota
	responseCommitted
	responseDone
)

// spareResponse is what a response holds its header and body in, kept for the
// next one.
type spareResponse struct {
	header http.Header // empty
	body   []byte      // of length 0
}

var spareResponses = sync.Pool{New: func() any { return &spareResponse{header: make(http.Header)} }}

// maxSpareBody is how much memory of a body is kept for the next one.
const maxSpareBody = holdLimit

// newResponse takes over the headers that others have set on w.
func newResponse(w http.ResponseWriter, r *http.Request) *response {
	spare := spareResponses.Get().(*spareResponse) //nolint:forcetypeassert // nothing else is in it
	res := &response{w: w, timeout: writeTimeout(r), header: spare.header, body: spare.body, spare: spare}
	maps.Copy(res.header, w.Header())
	res.deadline(false)
	return res
}

// Header returns the header of the final response.
func (r *response) Header() http.Header { return r.header }

// Unwrap is for http.ResponseController.
func (r *response) Unwrap() http.ResponseWriter { return r.w }

// WriteHeader sets the status of the final response, which stays held.
func (r *response) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
}

// Write holds p, and commits the response when that becomes too much.
func (r *response) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseHeld {
		length := len(r.body) + len(p)
		if length <= leastHeldAnswer || length <= holdLimit && !r.answers.full() {
			r.body = append(r.body, p...)
			r.counted = r.answers.count(r.counted, int64(cap(r.body)))
			return len(p), r.err
		}
		r.commitLocked()
	}
	return r.writeLocked(p)
}

// FlushError commits the response and sends what there is of it.
func (r *response) FlushError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseHeld {
		r.commitLocked()
	}
	return r.flushLocked()
}

// Flush implements http.Flusher.
func (r *response) Flush() { _ = r.FlushError() }

// discard takes back what is held. It reports false when the response has been
// committed.
func (r *response) discard() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != responseHeld {
		return false
	}
	r.status, r.body, r.multistatus = 0, r.body[:0], false
	r.header.Del("Content-Type")
	return true
}

// interim sends an interim response with no other header than header, unless
// the final response has begun. It reports whether it did.
func (r *response) interim(header http.Header) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != responseHeld {
		return false
	}
	r.deadline(true)
	defer r.deadline(false)
	outer := r.w.Header()
	clear(outer)
	maps.Copy(outer, header)
	r.w.WriteHeader(http.StatusProcessing)
	return true
}

// keepAlive shows the client that the server lives, in the body: it commits a
// multi-status that is held and has begun, flushes what is buffered and, where
// nothing has been written since the last call, writes a newline between two
// elements.
func (r *response) keepAlive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.state == responseHeld && r.multistatus && len(r.body) > 0:
		r.commitLocked()
	case r.state != responseCommitted || !r.multistatus:
		return
	case r.begun && !r.wrote:
		_, _ = r.writeLocked([]byte("\n"))
	}
	if !r.flushed {
		_ = r.flushLocked()
	}
	r.wrote = false
}

// flushStreamed sends what is in net/http's buffers, if the response has been
// committed.
func (r *response) flushStreamed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseCommitted && !r.flushed {
		_ = r.flushLocked()
	}
}

// streamMultistatus says that the body will be XML in which a newline may stand
// between two calls of Write.
func (r *response) streamMultistatus() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.multistatus = true
}

// held reports whether an interim response can still be sent.
func (r *response) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state == responseHeld
}

// finish sends what is held and ends the response. It returns the first error
// of writing.
func (r *response) finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseHeld {
		if r.status != http.StatusNoContent {
			r.header.Set("Content-Length", strconv.Itoa(len(r.body)))
		}
		// The client has the more time, the more there is.
		r.stall *= 1 + time.Duration(len(r.body)/stallPart)
		r.commitLocked()
	}
	if r.state != responseDone {
		r.state = responseDone
		r.recycleLocked()
	}
	return r.err
}

// recycleLocked keeps the memory of header and body, which nobody may use any
// more. After an error it leaves the body: an HTTP/2 server may still be reading
// what it has failed to write.
func (r *response) recycleLocked() {
	spare := r.spare
	r.counted = r.answers.count(r.counted, 0)
	clear(r.header)
	spare.body = nil
	if r.err == nil {
		spare.body = r.body
	}
	r.header, r.body, r.spare = nil, nil, nil
	spareResponses.Put(spare)
}

// commitLocked sends the final header and what is held of the body.
func (r *response) commitLocked() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.state = responseCommitted
	r.deadline(true)
	outer := r.w.Header()
	clear(outer)
	maps.Copy(outer, r.header)
	r.w.WriteHeader(r.status)
	if len(r.body) > 0 {
		_, _ = r.writeLocked(r.body)
	}
	if r.body = r.body[:0]; cap(r.body) > maxSpareBody {
		r.body = nil // a long answer is streamed, and needs it no more
		r.counted = r.answers.count(r.counted, 0)
	}
}

func (r *response) writeLocked(p []byte) (int, error) {
	if r.state == responseDone {
		return 0, http.ErrBodyNotAllowed
	}
	if r.err != nil {
		return 0, r.err
	}
	r.deadline(true)
	n, err := r.w.Write(p)
	r.written()
	r.begun, r.wrote, r.flushed, r.err = true, true, false, err
	return n, err
}

func (r *response) flushLocked() error {
	if r.err == nil {
		r.deadline(true)
		r.err = http.NewResponseController(r.w).Flush()
		r.written()
		r.flushed = true
	}
	return r.err
}

// deadline starts the server's WriteTimeout anew, or stall where there is none; or
// suspends it while there is nothing to be written. A server that can't is left as
// it is.
func (r *response) deadline(writing bool) {
	limit := cmp.Or(max(r.timeout, 0), r.stall)
	if limit <= 0 {
		return
	}
	var until time.Time
	if writing {
		until = time.Now().Add(limit)
	}
	_ = http.NewResponseController(r.w).SetWriteDeadline(until)
}

// written suspends what does not run while there is nothing to be written.
func (r *response) written() {
	if r.timeout <= 0 {
		r.deadline(false)
	}
}
