package pgstate

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime returns the time since the machine was started. It goes on while the machine sleeps,
// unlike the monotonic clock of package time.
func uptime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // It can't fail.
	return time.Duration(t.Nano())
}
