package dav

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// asyncGrace is how long a client waits that prefers an answer before the end and
// does not say for how long: what is done by then needs no second request.
const asyncGrace = 100 * time.Millisecond

// maxWait is the longest wait that is applied: whoever wants to wait for longer is
// told that it is this one.
const maxWait = 24 * time.Hour

// asyncPreference is the preference respond-async of a COPY, MOVE or DELETE (RFC
// 7240 §4.1). Without it, the preference wait (§4.3) has no effect.
type asyncPreference struct {
	given bool
	// until is when the client has waited for as long as it wanted to, by the time at
	// which its request arrived (RFC 7240 §4.3); zero: it did not say for how long.
	until time.Time
	// applied is what is told to have been applied.
	applied string
}

// preferredAsync reads the preferences of r, which arrives now.
func preferredAsync(r *http.Request) asyncPreference {
	if r.Header["Prefer"] == nil {
		return asyncPreference{}
	}
	if _, given := preference(r, "respond-async"); !given {
		return asyncPreference{}
	}
	p := asyncPreference{given: true, applied: "respond-async"}
	if value, given := preference(r, "wait"); given {
		p.waitFor(value)
	}
	return p
}

// left is how long the client still waits once its operation is under way.
func (p *asyncPreference) left() time.Duration {
	if p.until.IsZero() {
		return asyncGrace
	}
	return time.Until(p.until)
}

// waitFor reads the preference wait. One that is no number is ignored.
func (p *asyncPreference) waitFor(value string) {
	const most = uint64(maxWait / time.Second)
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return
	}
	seconds = min(seconds, most) // out of range, it is the greatest there is
	p.until = time.Now().Add(time.Duration(seconds) * time.Second)
	p.applied += ", wait=" + strconv.FormatUint(seconds, 10)
}

// preference returns the value of a preference, and whether r has it: of several
// with one name the first counts (RFC 7240 §2).
func preference(r *http.Request, name string) (value string, given bool) {
	for element := range listElements(r.Header["Prefer"]) {
		element, _, _ = strings.Cut(element, ";") // parameters
		token, value, _ := strings.Cut(element, "=")
		if strings.EqualFold(strings.TrimSpace(token), name) {
			return strings.Trim(strings.TrimSpace(value), `"`), true
		}
	}
	return "", false
}

// accept answers 202 and lets the operation go on by itself (RFC 9110 §15.3.3).
func (x *exchange) accept() (status int, err error) {
	if !x.operations.detach(x.op) {
		return x.answer(x.op.status, x.op.err) // it has ended just now
	}
	x.e.stopBefore(acceptedBefore)
	// From here on the client knows of it by its address alone, after a crash too.
	if err := x.operations.save(x.records(), []*operation{x.op}); err != nil && x.OperationLogger != nil {
		x.OperationLogger(x.operations.look(x.op), err)
	}
	header, location := x.res.Header(), x.location(x.op)
	header.Set("Location", location)
	header.Set("Content-Location", location) // the content is that document (RFC 9110 §8.7)
	applied := x.async.applied
	if processing := header.Get("Preference-Applied"); processing != "" {
		applied = processing + ", " + applied
	}
	header.Set("Preference-Applied", applied)
	err = x.respondJSON(x.res, http.StatusAccepted, x.viewOf(x.op))
	if err == nil {
		err = x.respond(0, nil)
	}
	x.settle(err)
	return 0, err
}
