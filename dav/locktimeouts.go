package dav

import (
	"cmp"
	"time"

	"github.com/davd/davd/dav/internal/field"
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

// granted returns the timeout for a client that sent the values of the header Timeout.
func (t LockTimeouts) granted(values []string) (time.Duration, error) {
	wish, given, err := field.ParseTimeout(values)
	switch {
	case err != nil:
		return 0, err
	case !given:
		wish = cmp.Or(t.Default, time.Hour)
	}
	return t.clamp(wish), nil
}

// clamp limits d to Min and Max. A negative duration means infinite.
func (t LockTimeouts) clamp(d time.Duration) time.Duration {
	least, most := cmp.Or(t.Min, time.Second), cmp.Or(t.Max, 24*time.Hour)
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
