package interim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Exchange is the ResponseWriter of a request that gets interim responses while a handler
// works on it.
type Exchange struct {
	*Response

	emitter *Emitter
}

// Hold returns an Exchange for the request that about describes. stall and answers are
// those of [NewResponse].
func Hold(w http.ResponseWriter, about Emission, stall time.Duration, answers *Held) *Exchange {
	res := NewResponse(w, about.Request, stall, answers)
	return &Exchange{Response: res, emitter: res.Start(about)}
}

// Quiet ends the interim responses.
func (x *Exchange) Quiet() { x.emitter.Stop() }

// Finish ends the interim responses and sends the final response, if that is still held.
// It returns the first write error.
func (x *Exchange) Finish() error {
	x.emitter.Stop()
	return x.Response.Finish()
}

// Abandon ends the interim responses and drops a response that was not finished.
func (x *Exchange) Abandon() {
	x.emitter.Stop()
	x.abandon()
}

// WriteHeader sets the status of the final response. A status below 200 is sent at once,
// with the present header, and counts as one of the client's interim responses. If the
// client can't get it, it is left out: a 102 by all rules of [Policy], and others by
// rules 2 and 5.
func (x *Exchange) WriteHeader(status int) {
	if informational(status) {
		x.emitter.pass(status)
		return
	}
	x.freeze()
	x.Response.WriteHeader(status)
}

// Write holds p, or commits the response if it would hold too much.
func (x *Exchange) Write(p []byte) (int, error) {
	x.freeze()
	return x.Response.Write(p)
}

// FlushError commits the response and sends everything written so far.
func (x *Exchange) FlushError() error {
	x.freeze()
	return x.Response.FlushError()
}

// Flush implements http.Flusher.
func (x *Exchange) Flush() { _ = x.FlushError() }

// informational reports whether another response follows one with the status. After a 101
// (Switching Protocols) none does.
func informational(status int) bool {
	return status < http.StatusOK && status != http.StatusSwitchingProtocols
}

// WriteString implements io.StringWriter.
func (x *Exchange) WriteString(s string) (int, error) { return x.Write([]byte(s)) }

// ReadFrom implements io.ReaderFrom. Once the response has begun, it lets the system send
// the rest of a file, if net/http does.
func (x *Exchange) ReadFrom(src io.Reader) (int64, error) {
	var n int64
	for x.held() {
		copied, err := io.CopyN(onlyWriter{x}, src, LeastHeld)
		n += copied
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	rest, err := x.readRest(src)
	return n + rest, err
}

type onlyWriter struct{ io.Writer }

// Hijack fails, because an interim response could be written at any time.
func (x *Exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, fmt.Errorf("interim: a request that may get interim responses can't be hijacked; leave its method out of Handler.Methods: %w", errors.ErrUnsupported)
}

// SetWriteDeadline sets the time until which responses can be written, for
// http.ResponseController. From then on the http.Server's WriteTimeout does not apply.
func (x *Exchange) SetWriteDeadline(deadline time.Time) error {
	return x.setWriteDeadline(deadline)
}

// Push implements http.Pusher.
func (x *Exchange) Push(target string, opts *http.PushOptions) error {
	if pusher, ok := x.w.(http.Pusher); ok {
		return pusher.Push(target, opts)
	}
	return http.ErrNotSupported
}
