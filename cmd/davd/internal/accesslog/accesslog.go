// Package accesslog records each request after it was answered.
package accesslog

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/davd/davd/dav"
)

// Handler passes requests to Next and calls Done with the record of each one.
type Handler struct {
	Next http.Handler
	// Done is called when Next has returned. What only some callers need, such as [Remote], they
	// take from the request.
	Done func(*http.Request, Record)
}

// Record describes a request that has ended, in addition to what the request says.
type Record struct {
	Method string
	// Path is the decoded path of the request URI.
	Path string
	// Destination is the decoded path in the Destination field of a COPY or MOVE, or the
	// field itself if it can't be decoded.
	Destination string
	// Status is the status of the final response, 0 without one, or
	// [StatusClientGone].
	Status int
	// Interim is the number of interim responses that Next sent.
	Interim int
	// BytesIn is how much of the request's body was read, and BytesOut the size of the final
	// response's body.
	BytesIn, BytesOut int64
	// Duration is the time that Next took.
	Duration time.Duration
	// User is the name that was passed to [Identify].
	User string
	// NamesUser says that the request has a name and a password, whether valid or not.
	NamesUser bool
	// Share and Operation are what was passed to [InShare] and [InOperation].
	Share, Operation string
	// Err is the error that was passed to [Report], or says that Next panicked.
	Err error
}

// StatusClientGone is recorded for a request that was given up because the client had
// closed or reset its connection. No client ever sees it. nginx uses the same number.
const StatusClientGone = 499

var errPanicked = errors.New("the handler panicked")

type exchangeKey struct{}

// exchange collects the record of a request. It also serves as the request's context and
// contains the response writer, which saves four allocations per request.
type exchange struct {
	context.Context //nolint:containedctx // the request's own context, which lives as long as the exchange

	// user, share, operation and err are what Next has reported.
	user, share, operation string

	err    error
	writer responseWriter
	body   countedBody
}

// Value implements context.Context.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// Identify adds the name of the user who sent r to its record. It does nothing if r did
// not pass a Handler.
func Identify(r *http.Request, user string) {
	if x, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
		x.user = user
	}
}

// InShare adds the name of the share that contains the resource to the record of r, like Identify.
func InShare(r *http.Request, share string) {
	if x, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
		x.share = share
	}
}

// InOperation adds the ID of the operation that r has waited for to its record, like Identify.
func InOperation(r *http.Request, id string) {
	if x, ok := r.Context().Value(exchangeKey{}).(*exchange); ok {
		x.operation = id
	}
}

// Report adds the error that ended r to its record. It can be the Logger of a dav.Handler.
// It does nothing if r did not pass a Handler.
func Report(r *http.Request, err error) {
	if x, ok := r.Context().Value(exchangeKey{}).(*exchange); ok && err != nil {
		x.err = err
	}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{Context: r.Context(), writer: responseWriter{ResponseWriter: w, request: r.Context()}}
	panicked := true
	// A panic is not recovered here, because net/http logs it with the whole stack.
	defer func() { h.Done(r, x.record(r, time.Since(start), panicked)) }()
	inner := r.WithContext(x)
	if r.Body != nil && r.Body != http.NoBody {
		x.body.ReadCloser = r.Body
		inner.Body = &x.body
	}
	h.Next.ServeHTTP(&x.writer, inner)
	panicked = false
}

func (x *exchange) record(r *http.Request, took time.Duration, panicked bool) Record {
	record := Record{
		Method: r.Method, Path: r.URL.Path,
		Status: x.writer.finalStatus(), Interim: x.writer.interim, Duration: took,
		BytesIn: x.body.read.Load(), BytesOut: x.writer.bytes,
		User: x.user, NamesUser: r.Header["Authorization"] != nil,
		Share: x.share, Operation: x.operation, Err: x.err,
	}
	if x.writer.gone && !errors.Is(x.err, dav.ErrShutdown) {
		record.Status = StatusClientGone
	}
	if panicked {
		record.Status, record.Err = x.writer.status, errPanicked
	}
	if r.Method == "COPY" || r.Method == "MOVE" {
		record.Destination = destination(r)
	}
	return record
}

// destination returns the decoded path in the Destination field. It omits the host, because
// a password may be with it. As in package dav, "#" is part of the path.
func destination(r *http.Request) string {
	field := r.Header.Get("Destination")
	if scheme, rest, found := strings.Cut(field, "//"); found && !strings.Contains(scheme, "/") {
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return "/"
		}
		field = rest[slash:]
	}
	if path, err := url.PathUnescape(field); err == nil {
		return path
	}
	return field
}
