package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav"
)

// infinite is the value of --lock-timeout-max for no limit.
const infinite = "infinite"

// defaultLockTimeout applies to a client that asks for no timeout. Other clients ask for
// 3 minutes (LibreOffice) to an hour (Windows, Microsoft Office), and renew their locks.
const defaultLockTimeout = time.Hour

// parseLongest parses the upper limit of lock timeouts. It returns -1 for no limit.
func parseLongest(s string) (time.Duration, error) {
	if s == infinite {
		return -1, nil
	}
	return parsePositive(s)
}

// checkLockTimeouts checks the range of lock timeouts and sets the default within it.
func (c *Config) checkLockTimeouts() error {
	t := &c.LockTimeouts
	if t.Max >= 0 && t.Min > t.Max {
		return fmt.Errorf("%v is more than --lock-timeout-max %v: write a shorter time", t.Min, t.Max)
	}
	t.Default = max(t.Min, defaultLockTimeout)
	if t.Max >= 0 {
		t.Default = min(t.Default, t.Max)
	}
	return nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a whole number above 0: write 1 or more", s)
	}
	return n, nil
}

// readLimits reads the limits of what clients may have at a time.
func (c *Config) readLimits(s Settings, first *firstError) {
	c.Limits.Operations = read(first, "operations-at-once", s.OperationsAtOnce, parseCount)
	c.Limits.OperationsOf = read(first, "operations-per-user", s.OperationsPerUser, quarterOf(c.Limits.Operations))
	c.Limits.LocksOf = read(first, "locks-per-address", s.LocksPerAddress, quarterOf(c.LocksPerUser))
}

// quarterOf returns a parser of a count whose default is a quarter of all.
func quarterOf(all int) func(string) (int, error) {
	return func(s string) (int, error) {
		if s == "" {
			return max(all/4, 1), nil
		}
		return parseCount(s)
	}
}

// parseInfinity parses what to do with a PROPFIND with Depth infinity: allow, deny or a
// number of members.
func parseInfinity(s string) (int, error) {
	switch s {
	case "allow":
		return 0, nil
	case "deny":
		return dav.NoInfinity, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("unknown value %q: write allow, deny or the number of members after which no further collection is listed", s)
	}
	return n, nil
}

// sizeUnits are the units of sizes. A number without a unit is in bytes.
var sizeUnits = map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// parseSize parses a size of at least 1 byte, and returns bytes.
func parseSize(s string) (int64, error) {
	unit := strings.TrimLeft(s, "0123456789")
	n, err := strconv.ParseInt(strings.TrimSuffix(s, unit), 10, 64)
	size, known := sizeUnits[unit]
	switch {
	case err != nil || !known || n > math.MaxInt64/size:
		return 0, fmt.Errorf("%q is not a size: write a whole number of bytes, or one with its unit, such as 512KiB or 1MiB", s)
	case n == 0:
		return 0, errors.New("it can't be zero: write a larger size, such as 1MiB")
	}
	return n * size, nil
}

// parseRate parses a number of bytes per second. For 0, which means no minimum, it
// returns -1.
func parseRate(s string) (int64, error) {
	if strings.TrimLeft(s, "0") == "" {
		return -1, nil
	}
	return parseSize(s)
}
