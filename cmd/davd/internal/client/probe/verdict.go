package probe

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/davd/davd/dav"
)

// observation is what came of a probe.
type observation struct {
	// length is how long davd was to take.
	length time.Duration
	// interims are the times at which interim responses came, and end is that of
	// the final response, or of err: all since the request was sent.
	interims []time.Duration
	end      time.Duration
	// status is that of the final response, 0: there was none, and said what it says to
	// a person.
	status int
	said   string
	// report is nil where the final response is not davd's.
	report *dav.ProbeReport
	err    error
	// timedOut: nothing came within Patience.
	timedOut bool
	// outOfStep: a request after the probe did not get the answer that is its.
	outOfStep bool
}

type verdict int

const (
	passed verdict = iota
	passedAsDeclared
	swallowed
	someLost
	heldBack
	cutAtFirst
	cutAtSixth
	cutAtTenth
	cut
	neverAnswered
	broken
	outOfStep
	switchedOff
	overHTTP10
	notAsked
	refused
	notProbed
)

// judgement is the error for a verdict; nil: they come through.
func (v verdict) judgement() error {
	switch v {
	case passed, passedAsDeclared:
		return nil
	case refused, notProbed:
		return ErrNotKnown
	}
	return ErrNotPassed
}

// interval is the time between two interim responses of a probe.
func (o *observation) interval() time.Duration { return o.length / 12 }

// verdict says what the observation means.
func (o *observation) verdict() verdict {
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
		return outOfStep // an answer that is not the one to this request
	case o.timedOut:
		return neverAnswered
	}
	return broken
}

// verdictOnReport: the final response is davd's.
func (o *observation) verdictOnReport() verdict {
	sent, came := o.report.Sent, len(o.interims)
	switch {
	case sent == 0 && o.report.Mode == dav.InterimNever.String():
		return switchedOff
	case sent == 0 && (o.report.Protocol == "HTTP/1.0" || strings.Contains(o.report.Via, "1.0")):
		return overHTTP10
	case sent == 0:
		return notAsked
	case came == 0:
		return swallowed
	case o.end-o.interims[0] < o.interval()*time.Duration(sent)/2:
		// davd sends the first at once, and takes as long as it has some to send.
		return heldBack
	case came < sent:
		return someLost
	case o.report.Proxy != dav.ProxyNone.String():
		return passedAsDeclared
	}
	return passed
}

// verdictOnCut: something between has answered with an error. Where they are
// swallowed, only the time tells at which.
func (o *observation) verdictOnCut() verdict {
	at := len(o.interims) + 1
	if len(o.interims) == 0 && o.end > o.interval() {
		at = min(int(o.end/o.interval())+1, 10) // a late answer does not mean more
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

// final is the final response in words.
func (o *observation) final() string {
	text := fmt.Sprintf("%d %s", o.status, http.StatusText(o.status))
	if o.said != "" {
		text += " (" + o.said + ")"
	}
	return text
}

// summary is what was seen, in numbers.
func (o *observation) summary() string {
	text := "Of the interim responses "
	if o.report != nil {
		text = fmt.Sprintf("davd has sent %d interim responses, of which ", o.report.Sent)
	}
	switch n := len(o.interims); n {
	case 0:
		text += "none came"
	case 1:
		text += fmt.Sprintf("1 came, after %.1f s", o.interims[0].Seconds())
	default:
		text += fmt.Sprintf("%d came, from %.1f s to %.1f s", n, o.interims[0].Seconds(), o.interims[n-1].Seconds())
	}
	if o.report != nil && o.report.Withheld != "" {
		text += " (" + o.report.Withheld + ")"
	}
	switch {
	case o.status != 0:
		text += fmt.Sprintf("; the final response, %s, came after %.1f s", o.final(), o.end.Seconds())
	case o.timedOut:
		text += fmt.Sprintf("; there was no final response in %.1f s", o.end.Seconds())
	default:
		text += fmt.Sprintf("; after %.1f s the connection broke, without a final response", o.end.Seconds())
	}
	return text + "."
}
