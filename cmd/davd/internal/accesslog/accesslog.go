// Package accesslog records each request once it is answered.
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

// Handler serves with Next and calls Done with the record of each request.
type Handler struct {
	Next http.Handler
	// Done is called when Next has returned.
	Done func(*http.Request, Record)
}

// Record is what is known of a request when it is over.
type Record struct {
	Method string
	// Path is the decoded path of the request URI.
	Path string
	// Destination is the decoded path of the Destination field of a COPY or
	// MOVE, or that field itself where it isn't a URI.
	Destination string
	// Status is the status of the final response, 0 when there was none, or
	// [StatusClientGone].
	Status int
	// Interim is the number of interim responses that Next sent.
	Interim int
	// Bytes is the size of the final response's body.
	Bytes int64
	// Duration is the time that Next took.
	Duration time.Duration
	// Remote is the client's address, "unix" for one at a unix socket.
	Remote string
	// User is what was given to [Identify].
	User      string
	UserAgent string
	// Err is what was given to [Report], or says that Next panicked.
	Err error
}

// StatusClientGone is recorded where the client had closed or reset its connection, so that
// the request was given up and nobody could get the answer. It is nginx's number for this;
// no client ever sees it.
const StatusClientGone = 499

var errPanicked = errors.New("the handler panicked")

// reportKey is the context's key of the *report of a request.
type reportKey struct{}

// report is what Next has told of a request.
type report struct {
	user string
	err  error
}

// exchange is a request with what is found out about it. It is the request's
// context as well, so that a request costs one allocation here and not five.
type exchange struct {
	context.Context //nolint:containedctx // the request's own, as long as it

	report report
	writer responseWriter
}

// Value implements context.Context.
func (x *exchange) Value(key any) any {
	if key == (reportKey{}) {
		return &x.report
	}
	return x.Context.Value(key)
}

// Identify adds the name of the user who sent r to its record. It does nothing
// outside of a Handler.
func Identify(r *http.Request, user string) {
	if told, ok := r.Context().Value(reportKey{}).(*report); ok {
		told.user = user
	}
}

// Report adds the error that ended r to its record. It is meant for
// dav.Handler's Logger and does nothing outside of a Handler.
func Report(r *http.Request, err error) {
	if told, ok := r.Context().Value(reportKey{}).(*report); ok && err != nil {
		told.err = err
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{Context: r.Context(), writer: responseWriter{ResponseWriter: w, request: r.Context()}}
	panicked := true
	// Not recovered: net/http's own report of the panic has its whole stack.
	defer func() { h.Done(r, x.record(r, time.Since(start), panicked)) }()
	h.Next.ServeHTTP(&x.writer, r.WithContext(x))
	panicked = false
}

// record is called at the end.
func (x *exchange) record(r *http.Request, took time.Duration, panicked bool) Record {
	record := newRecord(r)
	record.Status, record.Err = x.writer.finalStatus(), x.report.err
	if x.writer.gone && !errors.Is(record.Err, dav.ErrShutdown) {
		record.Status = StatusClientGone
	}
	if panicked {
		record.Status, record.Err = x.writer.status, errPanicked
	}
	record.Interim, record.Bytes = x.writer.interim, x.writer.bytes
	record.Duration, record.User = took, x.report.user
	return record
}

func newRecord(r *http.Request) Record {
	record := Record{
		Method:    r.Method,
		Path:      r.URL.Path,
		Remote:    r.RemoteAddr,
		UserAgent: r.UserAgent(),
	}
	if record.Remote == "" || record.Remote == "@" {
		record.Remote = "unix"
	}
	if r.Method == "COPY" || r.Method == "MOVE" {
		record.Destination = destination(r)
	}
	return record
}

// destination leaves out the host, and with it any password. The rest is the name as
// package dav reads it: "#" is part of it.
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
