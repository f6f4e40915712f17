package dav

import "net/http"

// withhold reports once why the request gets no interim response, or no more.
func (e *emitter) withhold(why Withheld) {
	if e.config.Withheld == nil || e.withheld {
		return
	}
	e.withheld = true
	why.Sent = e.sent
	e.config.Withheld(e.request, why)
}

// halt prevents further interim responses, and waits for the one that is being written.
func (e *emitter) halt() {
	e.mu.Lock()
	e.stopped = true
	e.timer.Stop()
	firing := e.firing
	e.mu.Unlock()
	if firing != nil {
		<-firing
	}
}

// stopBefore is stop for an operation that goes on after the answer. If the client got
// no interim response, it reports why.
func (e *emitter) stopBefore(why Withheld) {
	e.halt()
	if e.sent == 0 {
		e.withholdFor(why)
	}
	e.stop()
}

// withholdAll reports why a finished operation got no interim response.
func (e *emitter) withholdAll() {
	if e.sent == 0 {
		e.withholdFor(endedBefore)
	}
}

// withholdFor reports why the client got no interim response. otherwise is the reason
// if the client was allowed to get some.
func (e *emitter) withholdFor(otherwise Withheld) {
	if e.config.Withheld == nil || e.withheld {
		return
	}
	e.decide()
	switch {
	case e.grant.limit == 0:
		e.withhold(e.grant.refused)
	case e.client.Err() != nil:
		e.withhold(connectionGone)
	default:
		e.withhold(otherwise)
	}
}

// atOnce reports to Withheld a request that is answered immediately.
func (i *Interim) atOnce(r *http.Request) {
	if i.Withheld == nil {
		return
	}
	why := endedBefore
	if grant := i.grant(r); grant.limit == 0 {
		why = grant.refused
	}
	i.Withheld(r, why)
}

var (
	endedBefore    = Withheld{Rule: 4, Reason: "the operation ended before the first was due"}
	acceptedBefore = Withheld{Rule: 4, Reason: "the request was answered 202 before the first was due"}
	connectionGone = Withheld{Rule: 6, Reason: "the client has disconnected"}
	finalBegun     = Withheld{Rule: 7, Reason: "the final response has begun"}
)
