package operation

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
)

const (
	// After heartbeat without an event the stream has a comment, which keeps the connection
	// alive.
	heartbeat = 15 * time.Second
	// eventPatience is how long one write may take.
	eventPatience = 30 * time.Second
	// maxEventFailures limits the failures in an event "progress".
	maxEventFailures = 20
)

// serveEvents streams the progress of an operation (text/event-stream): an event
// "progress" when something has changed, at most one per second, and an event "end"
// at the end. Their data is an [Status].
func (d Documents) serveEvents(w http.ResponseWriter, r *http.Request, op *operation, v *view) error {
	leave, err := d.Access.EnterStream(r)
	if err != nil {
		return err
	}
	defer leave()
	header := w.Header()
	header.Set("Content-Type", eventsType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no") // otherwise nginx would hold events back
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	s := &eventStream{Documents: d, w: w, controller: http.NewResponseController(w)}
	defer s.restore(r)
	if v.running() {
		if err := s.follow(r, op); err != nil {
			return status.Logged(err)
		}
		v = d.Registry.view(op)
	}
	return status.Logged(s.event(r.Context(), "end", d.shownTo(r, v)))
}

// eventStream is one answer of serveEvents.
type eventStream struct {
	Documents
	w          http.ResponseWriter
	controller *http.ResponseController
}

// follow sends events until op ends, the client disconnects, or its user loses access.
func (s *eventStream) follow(r *http.Request, op *operation) error {
	sent, last := time.Now(), op.monitor.Snapshot()
	if err := s.event(r.Context(), "progress", s.shownTo(r, s.Registry.view(op))); err != nil {
		return err
	}
	err := s.Documents.follow(r, op, func(now time.Time) error {
		progress := op.monitor.Snapshot()
		switch {
		case progress != last:
			sent, last = now, progress
			return s.event(r.Context(), "progress", s.shownTo(r, s.Registry.view(op)))
		case now.Sub(sent) >= heartbeat:
			sent = now
			return s.write([]byte(":\n\n"))
		}
		return nil
	})
	return cmp.Or(err, context.Cause(r.Context()))
}

// event sends v as one event. The JSON is one line, as an event's data must be.
func (s *eventStream) event(ctx context.Context, name string, v *view) error {
	if name != "end" {
		v.Failures = v.Failures[:min(len(v.Failures), maxEventFailures)]
	}
	data, err := json.Marshal(newStatus(v, s.Registry.hrefIn(ctx)))
	if err != nil {
		return err
	}
	return s.write([]byte("event: " + name + "\ndata: " + string(data) + "\n\n"))
}

// write sends p within eventPatience.
func (s *eventStream) write(p []byte) error {
	_ = s.controller.SetWriteDeadline(time.Now().Add(eventPatience)) // not every server can set a deadline
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	return s.controller.Flush()
}

// restore sets the connection's write deadline to the server's own, or removes it if
// the server has none.
func (s *eventStream) restore(r *http.Request) {
	var until time.Time
	if timeout := interim.WriteTimeout(r); timeout > 0 {
		until = time.Now().Add(timeout)
	}
	_ = s.controller.SetWriteDeadline(until)
}
