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

// infinite is how a person asks for a lock timeout without end.
const infinite = "infinite"

// defaultLockTimeout is for a client that asks for none. Those that do ask for
// 3 minutes (LibreOffice) to an hour (Windows, Microsoft Office), and renew.
const defaultLockTimeout = time.Hour

// parseLongest reads the upper end of lock timeouts, less than 0 for none.
func parseLongest(s string) (time.Duration, error) {
	if s == infinite {
		return -1, nil
	}
	return parsePositive(s)
}

// checkLockTimeouts sets the default between the two ends.
func (c *Config) checkLockTimeouts() error {
	t := &c.LockTimeouts
	if t.Max >= 0 && t.Min > t.Max {
		return fmt.Errorf("%v is more than --lock-timeout-max %v: write less", t.Min, t.Max)
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
		return 0, fmt.Errorf("%q is not a number of them: write 1 or more", s)
	}
	return n, nil
}

// readLimits reads what clients may have at a time.
func (c *Config) readLimits(s Settings, first *firstError) {
	c.Limits.Operations = read(first, "operations-at-once", s.OperationsAtOnce, parseCount)
	c.Limits.OperationsOf = read(first, "operations-per-user", s.OperationsPerUser, quarterOf(c.Limits.Operations))
	c.Limits.LocksOf = read(first, "locks-per-address", s.LocksPerAddress, quarterOf(c.LocksPerUser))
}

// quarterOf reads a count that is by default a quarter of all.
func quarterOf(all int) func(string) (int, error) {
	return func(s string) (int, error) {
		if s == "" {
			return max(all/4, 1), nil
		}
		return parseCount(s)
	}
}

// parseInfinity reads what becomes of a PROPFIND with Depth infinity: allow, deny
// or a number of members.
func parseInfinity(s string) (int, error) {
	switch s {
	case "allow":
		return 0, nil
	case "deny":
		return dav.NoInfinity, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("there is no %q: write allow, deny or the number of members after which no further collection is listed", s)
	}
	return n, nil
}

// sizeUnits are the units of sizes. A number without one is in bytes.
var sizeUnits = map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// parseSize reads a size in bytes, at least 1.
func parseSize(s string) (int64, error) {
	unit := strings.TrimLeft(s, "0123456789")
	n, err := strconv.ParseInt(strings.TrimSuffix(s, unit), 10, 64)
	size, known := sizeUnits[unit]
	switch {
	case err != nil || !known || n > math.MaxInt64/size:
		return 0, fmt.Errorf("%q is not a size: write a whole number of bytes, or one with its unit, such as 512KiB or 1MiB", s)
	case n == 0:
		return 0, errors.New("it can't be nothing: write a larger size, such as 1MiB")
	}
	return n * size, nil
}

// parseRate reads a number of bytes per second. It takes 0 for any.
func parseRate(s string) (int64, error) {
	if strings.TrimLeft(s, "0") == "" {
		return -1, nil
	}
	return parseSize(s)
}
