package dav

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

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
	w       http.ResponseWriter
	control *http.ResponseController
	// timeout is the server's WriteTimeout. The time in which nothing is to
	// be written does not count.
	timeout time.Duration
	// header is the handler's alone until the response is committed.
	header http.Header

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

// newResponse takes over the headers that others have set on w.
func newResponse(w http.ResponseWriter, r *http.Request) *response {
	res := &response{w: w, control: http.NewResponseController(w), header: w.Header().Clone()}
	if res.header == nil {
		res.header = make(http.Header)
	}
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok {
		res.timeout = server.WriteTimeout
	}
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
		if len(r.body)+len(p) <= holdLimit {
			r.body = append(r.body, p...)
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
	r.status, r.body, r.multistatus = 0, nil, false
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
		r.commitLocked()
	}
	r.state = responseDone
	return r.err
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
	body := r.body
	r.body = nil
	if len(body) > 0 {
		_, _ = r.writeLocked(body)
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
	r.begun, r.wrote, r.flushed, r.err = true, true, false, err
	return n, err
}

func (r *response) flushLocked() error {
	if r.err == nil {
		r.deadline(true)
		r.err = r.control.Flush()
		r.flushed = true
	}
	return r.err
}

// deadline starts the server's WriteTimeout anew, or suspends it while there
// is nothing to be written. A server that can't is left as it is.
func (r *response) deadline(writing bool) {
	switch {
	case r.timeout <= 0:
	case writing:
		_ = r.control.SetWriteDeadline(time.Now().Add(r.timeout))
	default:
		_ = r.control.SetWriteDeadline(time.Time{})
	}
}
