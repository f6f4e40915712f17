package interim

import (
	"net/http"

	"github.com/davd/davd/dav/internal/field"
)

// withhold reports once why the request gets no interim response, or no more.
func (e *Emitter) withhold(why Withheld) {
	if e.about.Policy.Withheld == nil || e.withheld {
		return
	}
	e.withheld = true
	why.Sent = e.sent
	e.about.Policy.Withheld(e.about.Request, why)
}

// halt prevents further interim responses, and waits until the current one is written.
func (e *Emitter) halt() {
	e.mu.Lock()
	e.stopped = true
	e.timer.Stop()
	firing := e.firing
	e.mu.Unlock()
	if firing != nil {
		<-firing
	}
}

// StopBefore is Stop for an operation that goes on after the answer. why is reported if
// the client got no interim response although it was allowed to.
func (e *Emitter) StopBefore(why Withheld) {
	e.halt()
	e.withholdFor(why)
	e.Stop()
}

// withholdFor reports why the client got no interim response, if it got none. otherwise
// is the reason if the client was allowed to get some.
func (e *Emitter) withholdFor(otherwise Withheld) {
	e.ticking.Lock()
	defer e.ticking.Unlock()
	if e.sent > 0 || e.about.Policy.Withheld == nil || e.withheld {
		return
	}
	if e.about.Success == 0 && !field.PrefersProcessing(e.about.Request.Header) {
		return
	}
	e.decide()
	switch {
	case e.grant.Limit == 0:
		e.withhold(e.grant.Refused)
	case e.about.Request.Context().Err() != nil:
		e.withhold(connectionGone)
	default:
		e.withhold(otherwise)
	}
}

// AtOnce reports to Withheld a request that is answered immediately.
func (i *Policy) AtOnce(r *http.Request) {
	if i.Withheld == nil {
		return
	}
	why := endedBefore
	if grant := i.Grant(r); grant.Limit == 0 {
		why = grant.Refused
	}
	i.Withheld(r, why)
}

var (
	endedBefore = Withheld{Rule: 4, Reason: "the request was answered before the first was due"}
	// AcceptedBefore is for a request that was answered with a 202.
	AcceptedBefore = Withheld{Rule: 4, Reason: "the request was answered 202 before the first was due"}
	connectionGone = Withheld{Rule: 6, Reason: "the client has disconnected"}
	finalBegun     = Withheld{Rule: 7, Reason: "the final response has begun"}
)
