package operation

import (
	"strconv"
	"time"

	"github.com/davd/davd/dav/internal/field"
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
