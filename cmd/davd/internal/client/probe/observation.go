package probe

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
)

// observation holds the responses to a probe.
type observation struct {
	// length is how long davd should have taken.
	length time.Duration
	// interims are the times at which interim responses came. end is the time of the final
	// response, or of its failure. All count from when the request was sent.
	interims []time.Duration
	end      time.Duration
	// status is the status of the final response, or 0 without one. said is its text
	// for people.
	status int
	said   string
	// report is nil if the final response did not come from davd.
	report *operation.ProbeReport
	// timedOut says that no final response came within Patience.
	timedOut bool
	// outOfStep says that a request after the probe got the answer to another request.
	outOfStep bool
}

// interval returns the time between two interim responses of a probe.
func (o *observation) interval() time.Duration { return o.length / 12 }

func (o *observation) verdict() *verdict {
	switch {
	case o.outOfStep:
		return outOfStep
	case o.report != nil:
		return o.verdictOnReport()
	case o.status >= http.StatusInternalServerError && o.status != http.StatusNotImplemented:
		return o.verdictOnCut()
	case o.status == http.StatusNotFound && len(o.interims) == 0:
		return notProbed
	case o.status != 0 && len(o.interims) == 0:
		return refused
	case o.status != 0:
		return outOfStep // the answer belongs to another request
	case o.timedOut:
		return neverAnswered
	}
	return broken
}

// verdictOnReport interprets an observation whose final response came from davd.
func (o *observation) verdictOnReport() *verdict {
	sent, came := o.report.Sent, len(o.interims)
	switch {
	case sent == 0 && o.report.Mode == interim.Never.String():
		return switchedOff
	case sent == 0 && (o.report.Protocol == "HTTP/1.0" || strings.Contains(o.report.Via, "1.0")):
		return overHTTP10
	case sent == 0:
		return notAsked
	case came == 0:
		return swallowed
	case o.end-o.interims[0] < o.interval()*time.Duration(sent)/2:
		// davd sends the first one immediately and the others at intervals, so the
		// first one was delayed.
		return heldBack
	case came < sent:
		return someLost
	case o.report.Proxy != interim.ProxyNone.String():
		return passedAsDeclared
	}
	return passed
}

// verdictOnCut interprets an observation where a proxy answered with an error. If the proxy
// swallows interim responses, only the time shows at which one it gave up.
func (o *observation) verdictOnCut() *verdict {
	at := len(o.interims) + 1
	if len(o.interims) == 0 && o.end > o.interval() {
		at = min(int(o.end/o.interval())+1, 10) // a later answer is no sign of a higher limit
	}
	switch at {
	case 1:
		return cutAtFirst
	case 6:
		return cutAtSixth
	case 10, 11: // Apache forwards the tenth before it gives up
		return cutAtTenth
	}
	return cut
}

func (o *observation) final() string {
	text := fmt.Sprintf("%d %s", o.status, http.StatusText(o.status))
	if o.said != "" {
		text += " (" + o.said + ")"
	}
	return text
}

// summary describes the observation in numbers.
func (o *observation) summary() string {
	text := "Of the interim responses "
	if o.report != nil {
		text = fmt.Sprintf("davd sent %d interim responses, of which ", o.report.Sent)
	}
	switch n := len(o.interims); n {
	case 0:
		text += "none arrived"
	case 1:
		text += fmt.Sprintf("1 arrived, after %.1f s", o.interims[0].Seconds())
	default:
		text += fmt.Sprintf("%d arrived, from %.1f s to %.1f s", n, o.interims[0].Seconds(), o.interims[n-1].Seconds())
	}
	if o.report != nil && o.report.Withheld != "" {
		text += " (" + o.report.Withheld + ")"
	}
	switch {
	case o.status != 0:
		text += fmt.Sprintf("; the final response, %s, arrived after %.1f s", o.final(), o.end.Seconds())
	case o.timedOut:
		text += fmt.Sprintf("; no final response arrived within %.1f s", o.end.Seconds())
	default:
		text += fmt.Sprintf("; after %.1f s the connection broke without a final response", o.end.Seconds())
	}
	return text + "."
}
