package field

import (
	"strconv"
	"strings"
	"time"
)

// maxMtime is the latest time that an HTTP date can express, the end of the year
// 9999, in Unix seconds.
const maxMtime = 253402300799

// ParseMtime parses the header X-OC-Mtime of ownCloud, Nextcloud and rclone: seconds
// since 1970, with an optional sign and fraction. It returns the zero time for an
// invalid value. The upload then succeeds, but the response does not confirm the
// time.
func ParseMtime(value string) time.Time {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds < -maxMtime || seconds > maxMtime {
		return time.Time{}
	}
	nanoseconds := int64(0)
	if fraction != "" {
		nine := (fraction + "00000000")[:9]
		n, err := strconv.ParseUint(nine, 10, 32)
		if err != nil || strings.Trim(fraction, "0123456789") != "" {
			return time.Time{}
		}
		nanoseconds = int64(n)
	}
	if strings.HasPrefix(whole, "-") {
		nanoseconds = -nanoseconds
	}
	return time.Unix(seconds, nanoseconds)
}
