package field

import (
	"strconv"
	"strings"
	"time"
)

// infiniteTimeout is the timeout of a lock that doesn't expire.
const infiniteTimeout time.Duration = -1

// maxTimeoutSeconds is the greatest value that the header Timeout may have (RFC 4918
// §10.7).
const maxTimeoutSeconds = 1<<32 - 1

// ParseTimeout parses the header Timeout: a list of wishes, the best one first (RFC 4918
// §10.7). It ignores unknown ones. given is false if it knows none.
func ParseTimeout(values []string) (timeout time.Duration, given bool, err error) {
	for wish := range Elements(values) {
		kind, value, _ := strings.Cut(wish, "-")
		switch {
		case strings.EqualFold(wish, "Infinite"):
			return infiniteTimeout, true, nil
		case !strings.EqualFold(kind, "Second"):
			continue
		}
		if value == "" || strings.Trim(value, "0123456789") != "" {
			return 0, false, Bad("the header Timeout must be Infinite or Second- with a number")
		}
		seconds, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			seconds = maxTimeoutSeconds // more digits than fit
		}
		return time.Duration(seconds) * time.Second, true, nil
	}
	return 0, false, nil
}
