package operation

import (
	"net/http"
	"strconv"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
)

// asyncGrace is how long a request waits for its operation if the client prefers
// respond-async and doesn't say how long. Short operations then need no second request.
const asyncGrace = 100 * time.Millisecond

// asyncPreference says how long a request waits for its operation.
type asyncPreference struct {
	given bool
	// until is when the wait ends that the client asked for, counted from the arrival of
	// the request (RFC 7240 §4.3). It is zero if the client didn't say.
	until time.Time
	// applied is the value of Preference-Applied.
	applied string
}

// asyncOf returns the preference of a COPY, MOVE or DELETE. Call it when the request
// arrives. Without respond-async, the preference wait has no effect.
func asyncOf(p *field.Preferences) asyncPreference {
	switch {
	case !p.Async:
		return asyncPreference{}
	case !p.Waits:
		return asyncPreference{given: true, applied: "respond-async"}
	}
	seconds := strconv.Itoa(int(p.Wait / time.Second)) // the client may have asked for more
	return asyncPreference{given: true, applied: "respond-async, wait=" + seconds, until: time.Now().Add(p.Wait)}
}

// left returns how much longer to wait once the operation is under way.
func (p *asyncPreference) left() time.Duration {
	if p.until.IsZero() {
		return asyncGrace
	}
	return time.Until(p.until)
}

// accept answers 202 (RFC 9110 §15.3.3) while the operation goes on.
func (x *Exchange) accept() error {
	s := x.registry
	if !s.detach(x.op) {
		return x.answer(x.op.err) // it has ended just now
	}
	x.emitter.StopBefore(interim.AcceptedBefore)
	// From now on the client knows the operation only by its address, so the record must
	// survive a crash.
	if err := s.save([]*operation{x.op}); err != nil {
		s.server.Log(s.look(x.op), err)
	}
	header, location := x.Response.Header(), s.location(x.op)
	header.Set("Location", location)
	header.Set("Content-Location", location) // the content is the status document (RFC 9110 §8.7)
	applied := x.async.applied
	if processing := header.Get("Preference-Applied"); processing != "" {
		applied = processing + ", " + applied
	}
	header.Set("Preference-Applied", applied)
	err := s.respondJSON(x.Response, http.StatusAccepted, s.viewOf(x.op))
	if err == nil {
		err = x.respond(nil)
	}
	x.settle(err)
	return status.Logged(err)
}
