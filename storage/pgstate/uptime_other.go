//go:build !linux

package pgstate

import "time"

// uptime returns the time of a clock that is never set.
func uptime() time.Duration { return time.Since(started) }

// started only makes a Duration of a monotonic time.
var started = time.Now()
