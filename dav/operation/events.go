package operation

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
)

const (
	// eventInterval is the shortest time between two events. After heartbeat without
	// an event the stream has a comment, which keeps the connection alive.
	eventInterval = time.Second
	heartbeat     = 15 * time.Second
	// eventPatience is how long one write may take.
	eventPatience = 30 * time.Second
	// maxEventFailures limits the failures in an event "progress".
	maxEventFailures = 20
)

// serveEvents streams the progress of an operation (text/event-stream): an event
// "progress" when something has changed, at most one per second, and an event "end"
// at the end. Their data is an [Status].
func (g *Registry) serveEvents(w http.ResponseWriter, r *http.Request, view *operationView) error {
	leave, err := g.server.EnterStream(r)
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
	s := &eventStream{Registry: g, w: w, controller: http.NewResponseController(w)}
	defer s.restore(r)
	if view.record.Ended.IsZero() {
		if err := s.follow(r, view.op); err != nil {
			return status.Logged(err)
		}
		view = g.viewOf(view.op)
	}
	return status.Logged(s.event("end", view))
}

// eventStream is one answer of serveEvents.
type eventStream struct {
	*Registry
	w          http.ResponseWriter
	controller *http.ResponseController
}

// follow sends events until op ends, the client disconnects, or its user loses
// access.
func (s *eventStream) follow(r *http.Request, op *operation) error {
	ctx := r.Context()
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	sent := time.Now()
	last := op.monitor.Snapshot()
	if err := s.event("progress", s.viewOf(op)); err != nil {
		return err
	}
	for {
		select {
		case <-op.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case now := <-ticker.C:
			progress := op.monitor.Snapshot()
			var err error
			switch {
			case !s.server.Admits(r):
				return errNotAdmitted
			case progress != last:
				sent, last = now, progress
				err = s.event("progress", s.viewOf(op))
			case now.Sub(sent) >= heartbeat:
				sent = now
				err = s.write([]byte(":\n\n"))
			}
			if err != nil {
				return err
			}
		}
	}
}

// errNotAdmitted ends the answer to a user who was removed while it was sent.
var errNotAdmitted = &status.Error{Status: http.StatusForbidden, Reason: "the user no longer has access"}

// event sends view as one event. The JSON is one line, as an event's data must be.
func (s *eventStream) event(name string, view *operationView) error {
	if name != "end" {
		view.record.Failures = view.record.Failures[:min(len(view.record.Failures), maxEventFailures)]
	}
	document := s.statusDocument(view)
	data, err := json.Marshal(&document)
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
