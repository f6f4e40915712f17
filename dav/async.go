package dav

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// asyncGrace is how long a client waits that prefers an answer before the end and
// does not say for how long: what is done by then needs no second request.
const asyncGrace = 100 * time.Millisecond

// maxWait bounds the preference wait. Nothing is held back by a longer one than
// that the client is answered in the end.
const maxWait = 24 * time.Hour

// asyncPreference is the preference respond-async of a COPY, MOVE or DELETE (RFC
// 7240 §4.1). Without it, the preference wait (§4.3) has no effect.
type asyncPreference struct {
	given bool
	wait  time.Duration
	// applied is what is told to have been applied.
	applied string
}

// preferredAsync reads the preferences of r.
func preferredAsync(r *http.Request) asyncPreference {
	if r.Header["Prefer"] == nil {
		return asyncPreference{}
	}
	if _, given := preference(r, "respond-async"); !given {
		return asyncPreference{}
	}
	p := asyncPreference{given: true, wait: asyncGrace, applied: "respond-async"}
	value, given := preference(r, "wait")
	if seconds, err := strconv.ParseUint(value, 10, 31); given && err == nil {
		p.wait = min(time.Duration(seconds)*time.Second, maxWait)
		p.applied += ", wait=" + strconv.FormatUint(seconds, 10)
	}
	return p
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
	x.e.stop()
	header := x.res.Header()
	header.Set("Location", x.location(x.op))
	// From here on the client knows of it by that alone, after a crash too.
	if err := x.operations.save(x.records(), []*operation{x.op}); err != nil && x.OperationLogger != nil {
		x.OperationLogger(x.operations.snapshot(x.op), err)
	}
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
