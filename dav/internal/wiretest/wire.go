// Package wiretest records what a handler sends, for tests.
package wiretest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Wire is an http.ResponseWriter that records everything sent, in order. It treats a
// 102 like a final response, because the tests check their order.
type Wire struct {
	header http.Header

	mu       sync.Mutex
	Events   []Event
	Deadline time.Time
	hurry    func() // called in each WriteHeader, outside of mu
}

// Event is a response, or a part of a body if Status is 0.
type Event struct {
	Status   int         // of WriteHeader; 0 for a Write
	Header   http.Header // of WriteHeader
	body     string      // of Write
	At       time.Time
	Deadline time.Time // that held then
}

// New returns an empty Wire.
func New() *Wire { return &Wire{header: make(http.Header)} }

// Header implements http.ResponseWriter, like the methods below.
func (w *Wire) Header() http.Header { return w.header }

// WriteHeader records a response.
func (w *Wire) WriteHeader(status int) {
	if w.hurry != nil {
		w.hurry()
	}
	w.record(Event{Status: status, Header: w.header.Clone()})
}

func (w *Wire) Write(p []byte) (int, error) {
	w.record(Event{body: string(p)})
	return len(p), nil
}

// Flush does nothing.
func (w *Wire) Flush() {}

// SetWriteDeadline records the deadline.
func (w *Wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Deadline = t
	return nil
}

func (w *Wire) record(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.At, e.Deadline = time.Now(), w.Deadline
	w.Events = append(w.Events, e)
}

// Interims returns the interim responses.
func (w *Wire) Interims() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var interims []Event
	for _, e := range w.Events {
		if e.Status == http.StatusProcessing {
			interims = append(interims, e)
		}
	}
	return interims
}

// Body returns everything written.
func (w *Wire) Body() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, e := range w.Events {
		b.WriteString(e.body)
	}
	return b.String()
}

// Check returns an error unless the events are any number of interim responses, then
// one final response, then only its body, with no headers of one on the other.
func (w *Wire) Check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	final := 0
	for i, e := range w.Events {
		switch {
		case e.Status == http.StatusProcessing:
			if final != 0 {
				return fmt.Errorf("event %d is an interim response after the final one", i)
			}
			for name := range e.Header {
				if name != "Progress" && name != "Status-URI" && name != "Location" {
					return fmt.Errorf("event %d: an interim response has the header %s", i, name)
				}
			}
		case e.Status != 0:
			if final != 0 {
				return fmt.Errorf("event %d is a second final response, %d after %d", i, e.Status, final)
			}
			final = e.Status
			if e.Header.Get("Progress") != "" {
				return fmt.Errorf("event %d: the final response has the header Progress", i)
			}
		case final == 0:
			return fmt.Errorf("event %d is a body before the final response", i)
		}
	}
	if final == 0 {
		return fmt.Errorf("no final response in %d events", len(w.Events))
	}
	return nil
}

// RequestOn returns a request as server would pass it to a handler.
func RequestOn(tb testing.TB, server *http.Server) *http.Request {
	tb.Helper()
	ctx := context.WithValue(tb.Context(), http.ServerContextKey, server)
	r, err := http.NewRequestWithContext(ctx, "COPY", "http://davd.test/src", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
