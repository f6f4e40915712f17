package dav

import "net/http"

// withhold tells, once, why there is no interim response, or no more.
func (e *emitter) withhold(why Withheld) {
	if e.config.Withheld == nil || e.withheld {
		return
	}
	e.withheld = true
	why.Sent = e.sent
	e.config.Withheld(e.request, why)
}

// withholdAll tells why an operation that is over got none.
func (e *emitter) withholdAll() {
	if e.config.Withheld == nil || e.withheld || e.sent > 0 {
		return
	}
	e.decide()
	switch {
	case e.grant.limit == 0:
		e.withhold(e.grant.refused)
	case e.client.Err() != nil:
		e.withhold(connectionGone)
	default:
		e.withhold(endedBefore)
	}
}

// atOnce tells Withheld of a request that is answered at once.
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
	connectionGone = Withheld{Rule: 6, Reason: "the client has gone"}
	finalBegun     = Withheld{Rule: 7, Reason: "the final response has begun"}
)
