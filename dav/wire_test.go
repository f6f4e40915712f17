package dav

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is an http.ResponseWriter that records everything sent, in order. It treats a
// 102 like a final response, because the tests check their order.
type wire struct {
	header http.Header

	mu       sync.Mutex
	events   []wireEvent
	deadline time.Time
	hurry    func() // called in each WriteHeader, outside of mu
}

type wireEvent struct {
	status   int         // of WriteHeader; 0 for a Write
	header   http.Header // of WriteHeader
	body     string      // of Write
	at       time.Time
	deadline time.Time // that held then
}

func newWire() *wire { return &wire{header: make(http.Header)} }

func (w *wire) Header() http.Header { return w.header }

func (w *wire) WriteHeader(status int) {
	if w.hurry != nil {
		w.hurry()
	}
	w.record(wireEvent{status: status, header: w.header.Clone()})
}

func (w *wire) Write(p []byte) (int, error) {
	w.record(wireEvent{body: string(p)})
	return len(p), nil
}

func (w *wire) Flush() {}

func (w *wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	return nil
}

func (w *wire) record(e wireEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.at, e.deadline = time.Now(), w.deadline
	w.events = append(w.events, e)
}

// interims returns the interim responses.
func (w *wire) interims() []wireEvent {
	w.mu.Lock()
	defer w.mu.Unlock()
	var interims []wireEvent
	for _, e := range w.events {
		if e.status == http.StatusProcessing {
			interims = append(interims, e)
		}
	}
	return interims
}

// body returns everything written.
func (w *wire) body() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, e := range w.events {
		b.WriteString(e.body)
	}
	return b.String()
}

// check returns an error unless the events are any number of interim responses, then
// one final response, then only its body, with no headers of one on the other.
func (w *wire) check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	final := 0
	for i, e := range w.events {
		switch {
		case e.status == http.StatusProcessing:
			if final != 0 {
				return fmt.Errorf("event %d is an interim response after the final one", i)
			}
			for name := range e.header {
				if name != "Progress" && name != statusURI && name != "Location" {
					return fmt.Errorf("event %d: an interim response has the header %s", i, name)
				}
			}
		case e.status != 0:
			if final != 0 {
				return fmt.Errorf("event %d is a second final response, %d after %d", i, e.status, final)
			}
			final = e.status
			if e.header.Get("Progress") != "" {
				return fmt.Errorf("event %d: the final response has the header Progress", i)
			}
		case final == 0:
			return fmt.Errorf("event %d is a body before the final response", i)
		}
	}
	if final == 0 {
		return fmt.Errorf("no final response in %d events", len(w.events))
	}
	return nil
}

// newTestResponse returns a response on a new wire, and the wire. outer has headers
// that middleware has set before.
func newTestResponse(tb testing.TB, server *http.Server) (*response, *wire) {
	tb.Helper()
	r := requestOn(tb, server)
	w := newWire()
	w.header.Set("X-Outer", "kept for the final response")
	return newResponse(w, r), w
}
