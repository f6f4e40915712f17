package interim

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stallPart is how much of a whole answer a client must read in each StallTimeout, in
// bytes.
const stallPart = 64 << 10

// holdLimit is how much of a body is held before the response is committed, in bytes.
const holdLimit = 256 << 10

// A Response is the http.ResponseWriter of a request with an operation. It holds
// the final response, so that interim responses can go out until the last moment:
//
//	held ──────────── commit ───────── finish ──▶ done
//	 interim responses    body, newlines
//
// It has its own header map, because net/http sends everything in its map with each
// interim response. mu serializes the calls of the emitter (interim, keepAlive) and
// of the handler.
type Response struct {
	w http.ResponseWriter
	// timeout is the server's WriteTimeout. It does not run while the response has
	// nothing to write.
	timeout time.Duration
	// stall replaces timeout if that is 0: how long a client may read nothing of what
	// the response writes. If both are 0, a write may take forever.
	stall time.Duration
	// head: the request is a HEAD, whose answer has no content.
	head bool
	// header belongs to the handler until the response is committed.
	header http.Header
	// frozen, if not nil, is the header of the final response. Later changes of header are
	// only for trailers, as in net/http.
	frozen http.Header
	spare  *spareResponse // the source of header and body
	// answers counts the held bodies of all responses; nil if they are not counted.
	// counted is this response's part.
	answers *Held
	counted int64

	mu     sync.Mutex
	state  responseState
	status int
	body   []byte // held
	err    error  // the first write error
	// multistatus means that the body is XML in which keepAlive may write a newline
	// between two calls of Write.
	multistatus bool
	// begun means that a part of the body has been written, wrote that this was since
	// the last keepAlive, flushed that it has left net/http's buffers.
	begun, wrote, flushed bool
	// ownDeadline: the handler has set the deadline of writes itself.
	ownDeadline bool
}

type responseState int

const (
	responseHeld responseState = iota
	responseCommitted
	responseDone
)

// spareResponse is the memory for a response's header and body, which later responses
// reuse.
type spareResponse struct {
	header http.Header // empty
	body   []byte      // empty
}

var spareResponses = sync.Pool{New: func() any { return &spareResponse{header: make(http.Header)} }}

// maxSpareBody is the largest body whose memory is reused, in bytes.
const maxSpareBody = holdLimit

// NewResponse returns a response for w, with the headers that w has already.
func NewResponse(w http.ResponseWriter, r *http.Request, stall time.Duration, answers *Held) *Response {
	spare := spareResponses.Get().(*spareResponse) //nolint:forcetypeassert // nothing else is in it
	res := &Response{
		w: w, timeout: WriteTimeout(r), stall: stall, head: r.Method == http.MethodHead, answers: answers,
		header: spare.header, body: spare.body, spare: spare,
	}
	maps.Copy(res.header, w.Header())
	res.deadline(false)
	return res
}

// Header returns the header of the final response.
func (r *Response) Header() http.Header { return r.header }

// Unwrap returns the underlying writer for http.ResponseController.
func (r *Response) Unwrap() http.ResponseWriter { return r.w }

// WriteHeader sets the status of the final response, but does not send it yet.
func (r *Response) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status == 0 && !informational(status) {
		r.status = status
	}
}

// Write holds p, or commits the response if it would hold too much.
func (r *Response) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseHeld {
		length := len(r.body) + len(p)
		if length <= LeastHeld || length <= holdLimit && !r.answers.Full() {
			r.body = append(r.body, p...)
			r.counted = r.answers.Count(r.counted, int64(cap(r.body)))
			return len(p), r.err
		}
		r.commitLocked()
	}
	return r.writeLocked(p)
}

// FlushError commits the response and sends everything written so far.
func (r *Response) FlushError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseHeld {
		r.commitLocked()
	}
	return r.flushLocked()
}

// Flush implements http.Flusher.
func (r *Response) Flush() { _ = r.FlushError() }

// Discard drops the held response. It reports false if the response has been committed.
func (r *Response) Discard() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != responseHeld {
		return false
	}
	r.status, r.body, r.multistatus, r.frozen = 0, r.body[:0], false, nil
	r.header.Del("Content-Type")
	return true
}

// interim sends an interim response with only the given header, unless the final
// response has begun. It reports whether it sent one.
func (r *Response) interim(header http.Header) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != responseHeld {
		return false
	}
	r.informLocked(http.StatusProcessing, header)
	return true
}

// inform sends an informational response for the handler, with the present header, unless
// the final response has begun. It reports whether it sent one, and how many bytes that
// took.
func (r *Response) inform(status int) (size int, sent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != responseHeld {
		return 0, false
	}
	header := maps.Clone(r.header)
	// These are about a connection or about content (RFC 9110 §7.6.1, §8.6).
	for _, name := range [...]string{"Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding", "Upgrade"} {
		delete(header, name)
	}
	r.informLocked(status, header)
	return interimOverhead + headerSize(header), true
}

func (r *Response) informLocked(status int, header http.Header) {
	r.deadline(true)
	defer r.deadline(false)
	outer := r.w.Header()
	clear(outer)
	maps.Copy(outer, header)
	r.w.WriteHeader(status)
}

// keepAlive sends something in the body of a multi-status, so that the client sees that
// the server is alive. It commits the response if it is held and the body has begun. If
// nothing has been written since the last call, it writes a newline between two
// elements. Then it flushes.
func (r *Response) keepAlive() {
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

// flushStreamed flushes net/http's buffers if the response has been committed.
func (r *Response) flushStreamed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseCommitted && !r.flushed {
		_ = r.flushLocked()
	}
}

// StreamMultistatus allows keepAlive to write newlines between two calls of Write,
// because the body will be XML.
func (r *Response) StreamMultistatus() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.multistatus = true
}

// held reports whether an interim response can still be sent.
func (r *Response) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state == responseHeld
}

// Finish sends the held response, if it is still held, and ends it. It returns the first
// write error.
func (r *Response) Finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == responseHeld {
		if r.measured() {
			r.finalHeader().Set("Content-Length", strconv.Itoa(len(r.body)))
		}
		// A long body takes more time to read.
		r.stall *= 1 + time.Duration(len(r.body)/stallPart)
		r.commitLocked()
	}
	if r.state != responseDone {
		r.trailersLocked()
		r.endLocked()
	}
	return r.err
}

// freeze makes the present header that of the final response.
func (r *Response) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen == nil && r.state == responseHeld {
		r.frozen = maps.Clone(r.header)
	}
}

// finalHeader returns the header of the final response.
func (r *Response) finalHeader() http.Header {
	if r.frozen != nil {
		return r.frozen
	}
	return r.header
}

// trailersLocked hands the trailers to net/http (http.TrailerPrefix, and those that the
// header Trailer announces).
func (r *Response) trailersLocked() {
	announced := r.finalHeader()["Trailer"]
	for name, values := range r.header {
		if strings.HasPrefix(name, http.TrailerPrefix) || slices.ContainsFunc(announced, func(list string) bool {
			return slices.ContainsFunc(strings.Split(list, ","), func(each string) bool { return http.CanonicalHeaderKey(strings.TrimSpace(each)) == name })
		}) {
			r.w.Header()[name] = values
		}
	}
}

// measured reports whether the held body is all of the content, so that its length
// belongs into the header.
func (r *Response) measured() bool {
	switch {
	case r.status == http.StatusNoContent, r.status == http.StatusNotModified, r.status == http.StatusSwitchingProtocols:
		return false
	case r.head && len(r.body) == 0:
		return false
	}
	final := r.finalHeader()
	if final["Content-Length"] != nil || final["Trailer"] != nil || final["Transfer-Encoding"] != nil {
		return false
	}
	for name := range r.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return false
		}
	}
	return true
}

// abandon ends a response that was not finished, without sending anything.
func (r *Response) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != responseDone {
		r.endLocked()
	}
}

func (r *Response) endLocked() {
	r.state = responseDone
	r.recycleLocked()
}

// recycleLocked makes the memory of header and body available to later responses.
// Nothing may use them afterwards. It does not reuse the body after a write error,
// because an HTTP/2 server may still be reading it.
func (r *Response) recycleLocked() {
	spare := r.spare
	r.counted = r.answers.Count(r.counted, 0)
	clear(r.header)
	spare.body = nil
	if r.err == nil {
		spare.body = r.body
	}
	r.header, r.body, r.spare = nil, nil, nil
	spareResponses.Put(spare)
}

// commitLocked sends the final header and the held body.
func (r *Response) commitLocked() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.state = responseCommitted
	r.deadline(true)
	outer := r.w.Header()
	clear(outer)
	maps.Copy(outer, r.finalHeader())
	for name, values := range r.header {
		if strings.HasPrefix(name, http.TrailerPrefix) { // net/http must know before the header
			outer[name] = values
		}
	}
	r.w.WriteHeader(r.status)
	if len(r.body) > 0 {
		_, _ = r.writeLocked(r.body)
	}
	if r.body = r.body[:0]; cap(r.body) > maxSpareBody {
		r.body = nil // a long answer is streamed from now on
		r.counted = r.answers.Count(r.counted, 0)
	}
}

func (r *Response) writeLocked(p []byte) (int, error) {
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

func (r *Response) flushLocked() error {
	if r.err == nil {
		r.deadline(true)
		r.err = http.NewResponseController(r.w).Flush()
		r.written()
		r.flushed = true
	}
	return r.err
}

// deadline restarts the server's WriteTimeout, or stall if there is none. If writing is
// false, it suspends them. It does nothing if the server can't set deadlines.
func (r *Response) deadline(writing bool) {
	limit := cmp.Or(max(r.timeout, 0), r.stall)
	if limit <= 0 || r.ownDeadline {
		return
	}
	var until time.Time
	if writing {
		until = time.Now().Add(limit)
	}
	_ = http.NewResponseController(r.w).SetWriteDeadline(until)
}

// written suspends stall after a write.
func (r *Response) written() {
	if r.timeout <= 0 {
		r.deadline(false)
	}
}

// setWriteDeadline sets the deadline of all writes from now on.
func (r *Response) setWriteDeadline(deadline time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ownDeadline = true
	return http.NewResponseController(r.w).SetWriteDeadline(deadline)
}

// readRest writes all of src to a response that has begun.
func (r *Response) readRest(src io.Reader) (int64, error) {
	r.mu.Lock()
	to, ok := r.w.(io.ReaderFrom)
	if !ok || r.state != responseCommitted || r.err != nil || cmp.Or(max(r.timeout, 0), r.stall) > 0 && !r.ownDeadline {
		r.mu.Unlock()
		return io.Copy(onlyWriter{r}, src) // each write has its own deadline
	}
	defer r.mu.Unlock()
	n, err := to.ReadFrom(src)
	r.begun, r.wrote, r.flushed, r.err = true, true, false, err
	return n, err
}

// serverOf returns the server of r, nil where that is none of net/http's.
func serverOf(r *http.Request) *http.Server {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	return server
}

// WriteTimeout returns the WriteTimeout of r's server, 0 if it has none.
func WriteTimeout(r *http.Request) time.Duration {
	if server := serverOf(r); server != nil {
		return server.WriteTimeout
	}
	return 0
}
