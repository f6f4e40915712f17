package proxy

import (
	"maps"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/dav/interim"
)

// sink is the ResponseWriter of the reverse proxy. It takes the progress from the upstream's
// interim responses, and the error of a request that the upstream didn't answer.
type sink struct {
	http.ResponseWriter

	// counter is nil for a request without interim responses, which are then dropped.
	counter  *interim.Counter
	resource string // the name of the request URI
	last     interim.Progress
	status   int
	err      error
	body     *clientBody // of the request, or nil
	// own is the header until the final response begins, because the reverse proxy clears the
	// header after each interim response. It is nil for a request without a counter.
	own http.Header
}

// newSink returns a sink for a request of the resource, whose progress counter gets.
func newSink(w http.ResponseWriter, counter *interim.Counter, resource string) *sink {
	return &sink{ResponseWriter: w, counter: counter, resource: resource, own: make(http.Header)}
}

// Header implements http.ResponseWriter.
func (s *sink) Header() http.Header {
	if s.own != nil {
		return s.own
	}
	return s.ResponseWriter.Header()
}

// Unwrap is for http.ResponseController.
func (s *sink) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// fail makes err the result.
func (s *sink) fail(err error) { s.err = err }

// WriteHeader implements http.ResponseWriter. A 102 tells how far the upstream is; the
// proxy sends its own. Others are passed on to clients that may get interim responses, except
// a 100 (Continue), which net/http sends when the upstream wants the body.
func (s *sink) WriteHeader(code int) {
	switch {
	case code == http.StatusProcessing:
		s.note(s.Header())
		return
	case code == http.StatusContinue, code < http.StatusOK && s.counter == nil:
		return
	case code >= http.StatusOK:
		s.status = code
		if s.own != nil {
			maps.Copy(s.ResponseWriter.Header(), s.own)
			s.own = nil
		}
		if s.body != nil {
			s.body.stop()
		}
	case s.own != nil:
		maps.Copy(s.ResponseWriter.Header(), s.own)
		defer func() {
			for name := range s.own {
				delete(s.ResponseWriter.Header(), name)
			}
		}()
	}
	s.ResponseWriter.WriteHeader(code)
}

// inform is WriteHeader for an interim response that does not come from a ReverseProxy. Its
// header is that of the interim response alone.
func (s *sink) inform(code int, header textproto.MIMEHeader) error {
	if code == http.StatusProcessing {
		s.note(http.Header(header))
	}
	return nil
}

// note takes note of an interim response of the upstream.
func (s *sink) note(header http.Header) {
	p, err := davclient.ParseProgress(header.Get("Progress"))
	if s.counter == nil || err != nil {
		return
	}
	s.counter.Add(max(p.Done-s.last.Done, 0), max(p.Bytes-s.last.Bytes, 0))
	if p.Total > 0 || p.TotalBytes > 0 {
		s.counter.Total(max(p.Total, 0), max(p.TotalBytes, 0))
	}
	if p.Member != "" {
		s.counter.Begin(s.resource)
		s.counter.Begin(strings.TrimSuffix(s.resource, "/") + "/" + p.Member)
	}
	s.last = interim.Progress{Done: max(p.Done, s.last.Done), Bytes: max(p.Bytes, s.last.Bytes)}
}
