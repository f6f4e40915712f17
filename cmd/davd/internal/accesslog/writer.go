package accesslog

import (
	"context"
	"io"
	"net/http"
)

// responseWriter records the status and counts bytes and interim responses.
type responseWriter struct {
	http.ResponseWriter
	status  int // of the final response, 0 before it
	interim int
	bytes   int64

	request context.Context //nolint:containedctx // lives as long as the request
	// gone says that the request was given up because its client has disconnected.
	gone bool
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter. It distinguishes interim responses from the
// final one: a 101 is final, the other 1xx are not (RFC 9110 §15.2).
func (w *responseWriter) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status >= 200 || status == http.StatusSwitchingProtocols:
		w.status = status
		w.gone = status == http.StatusServiceUnavailable && w.request.Err() != nil
	default:
		w.interim++
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.status = w.finalStatus()
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom, so that net/http can still use sendfile.
func (w *responseWriter) ReadFrom(src io.Reader) (int64, error) {
	w.status = w.finalStatus()
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// finalStatus returns the status. As in net/http, it is 200 if the handler did not set one.
func (w *responseWriter) finalStatus() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
