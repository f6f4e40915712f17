// Package accesslog records each request once it is answered.
package accesslog

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
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
	// Status is the status of the final response, 0 when there was none.
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

var errPanicked = errors.New("the handler panicked")

// reportKey is the context's key of the *report of a request.
type reportKey struct{}

// report is what Next has told of a request.
type report struct {
	user string
	err  error
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
	panicked := true
	var told report
	writer := &responseWriter{ResponseWriter: w}
	record := newRecord(r)
	// Not recovered: net/http's own report of the panic has its whole stack.
	defer func() {
		record.Status = writer.finalStatus()
		if panicked {
			record.Status = writer.status
			told.err = errPanicked
		}
		record.Interim = writer.interim
		record.Bytes = writer.bytes
		record.Duration = time.Since(start)
		record.User = told.user
		record.Err = told.err
		h.Done(r, record)
	}()
	h.Next.ServeHTTP(writer, r.WithContext(context.WithValue(r.Context(), reportKey{}, &told)))
	panicked = false
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

// destination leaves out the host, and with it any password.
func destination(r *http.Request) string {
	field := r.Header.Get("Destination")
	if u, err := url.Parse(field); err == nil && u.Path != "" {
		return u.Path
	}
	return field
}
