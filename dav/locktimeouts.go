package dav

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/storage/lock"
)

// LockTimeouts is the range of lock timeouts. The zero value allows a second to a day,
// and gives an hour to a client that doesn't ask for a timeout.
type LockTimeouts struct {
	// Min and Max limit the timeout that a client asks for. Zero means the default. Infinite
	// counts as longer than Max; a negative Max allows it.
	Min, Max time.Duration
	// Default is the timeout of a client that asks for none, or for none that the server
	// understands, within Min and Max. Zero means an hour.
	Default time.Duration
}

const (
	minLockTimeout     = time.Second
	maxLockTimeout     = 24 * time.Hour
	defaultLockTimeout = time.Hour
)

// maxTimeoutSeconds is the greatest value that the header Timeout may have (RFC 4918
// §10.7).
const maxTimeoutSeconds = 1<<32 - 1

// granted returns the timeout for a client, by its header Timeout. That is a list of
// wishes, the best one first (RFC 4918 §10.7). Unknown ones are ignored.
func (t LockTimeouts) granted(r *http.Request) (time.Duration, error) {
	for wish := range listElements(r.Header.Values("Timeout")) {
		kind, value, _ := strings.Cut(wish, "-")
		switch {
		case strings.EqualFold(wish, "Infinite"):
			return t.clamp(lock.Infinite), nil
		case !strings.EqualFold(kind, "Second"):
			continue
		}
		if value == "" || strings.Trim(value, "0123456789") != "" {
			return 0, &statusError{status: http.StatusBadRequest, reason: "the header Timeout must be Infinite or Second- with a number"}
		}
		seconds, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			seconds = maxTimeoutSeconds // more digits than fit
		}
		return t.clamp(time.Duration(seconds) * time.Second), nil
	}
	return t.clamp(cmp.Or(t.Default, defaultLockTimeout)), nil
}

// clamp limits d to Min and Max. A negative duration means infinite.
func (t LockTimeouts) clamp(d time.Duration) time.Duration {
	least, most := cmp.Or(t.Min, minLockTimeout), cmp.Or(t.Max, maxLockTimeout)
	switch {
	case d < 0 && most < 0:
		return lock.Infinite
	case d < 0:
		return most
	case most > 0:
		d = min(d, most)
	}
	return max(d, least)
}

// appendTimeout appends the value of a timeout element (RFC 4918 §14.29): the rest of
// the lock's timeout, in whole seconds.
func appendTimeout(dst []byte, l lock.Lock, now time.Time) []byte {
	if l.Duration < 0 {
		return append(dst, "Infinite"...)
	}
	left := (l.Expires.Sub(now) + time.Second - 1) / time.Second
	return strconv.AppendInt(append(dst, "Second-"...), int64(max(left, 0)), 10)
}
