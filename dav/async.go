package dav

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// asyncGrace is how long a request waits for its operation if the client prefers
// respond-async and doesn't say how long. Short operations then need no second request.
const asyncGrace = 100 * time.Millisecond

// maxWait is the longest wait that the server applies. If a client asks for more,
// Preference-Applied tells it this one.
const maxWait = 24 * time.Hour

// asyncPreference is the preference respond-async of a COPY, MOVE or DELETE (RFC
// 7240 §4.1). Without it, the preference wait (§4.3) has no effect.
type asyncPreference struct {
	given bool
	// until is when the wait ends that the client asked for, counted from the arrival of
	// the request (RFC 7240 §4.3). It is zero if the client didn't say.
	until time.Time
	// applied is the value of Preference-Applied.
	applied string
}

// preferredAsync reads the preferences of r. It must be called when r arrives.
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

// left returns how much longer to wait once the operation is under way.
func (p *asyncPreference) left() time.Duration {
	if p.until.IsZero() {
		return asyncGrace
	}
	return time.Until(p.until)
}

// waitFor reads the value of the preference wait. It ignores one that is not a number.
func (p *asyncPreference) waitFor(value string) {
	const most = uint64(maxWait / time.Second)
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return
	}
	seconds = min(seconds, most) // ParseUint returns the largest number when out of range
	p.until = time.Now().Add(time.Duration(seconds) * time.Second)
	p.applied += ", wait=" + strconv.FormatUint(seconds, 10)
}

// preference returns the value of a preference, and whether r has it. If the preference
// is repeated, the first one counts (RFC 7240 §2).
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

// accept answers 202 (RFC 9110 §15.3.3) while the operation goes on.
func (x *exchange) accept() (status int, err error) {
	if !x.operations.detach(x.op) {
		return x.answer(x.op.status, x.op.err) // it has ended just now
	}
	x.e.stopBefore(acceptedBefore)
	// From now on the client knows the operation only by its address, so the record must
	// survive a crash.
	if err := x.operations.save(x.records(), []*operation{x.op}); err != nil && x.OperationLogger != nil {
		x.OperationLogger(x.operations.look(x.op), err)
	}
	header, location := x.res.Header(), x.location(x.op)
	header.Set("Location", location)
	header.Set("Content-Location", location) // the content is the status document (RFC 9110 §8.7)
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
