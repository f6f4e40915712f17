package proxy

import (
	"net/http"
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
}

// Unwrap is for http.ResponseController.
func (s *sink) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// fail makes err the result.
func (s *sink) fail(err error) { s.err = err }

// WriteHeader implements http.ResponseWriter. A 102 tells how far the upstream is; the
// proxy sends its own. Others are passed on, except a 100 (Continue), which net/http sends
// when the upstream wants the body.
func (s *sink) WriteHeader(code int) {
	switch {
	case code == http.StatusProcessing:
		s.note(s.Header())
		return
	case code == http.StatusContinue:
		return
	case code >= http.StatusOK || code == http.StatusSwitchingProtocols:
		s.status = code
		if s.body != nil {
			s.body.stop()
		}
	}
	s.ResponseWriter.WriteHeader(code)
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
