package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration parses a duration of 0 or more.
func Duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write a number with its unit, such as 500ms, 20s or 1m30s", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative: write 0s or more", s)
	}
	return d, nil
}

// Size parses a number of bytes of 0 or more.
func Size(s string) (int64, error) {
	unit := strings.TrimLeft(s, "0123456789")
	n, err := strconv.ParseInt(strings.TrimSuffix(s, unit), 10, 64)
	size, known := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[unit]
	if err != nil || !known || n > math.MaxInt64/size {
		return 0, fmt.Errorf("%q is not a size: write a whole number of bytes, or one with its unit, such as 512KiB or 1MiB", s)
	}
	return n * size, nil
}

// ZeroIsNegative returns a parser that returns -1 for zero. The options of package dav have
// negative values for "no limit" and "immediately", because zero is their default.
func ZeroIsNegative[N int64 | time.Duration](parse func(string) (N, error)) func(string) (N, error) {
	return func(s string) (N, error) {
		n, err := parse(s)
		if err == nil && n == 0 {
			n = -1
		}
		return n, err
	}
}

// Count parses a whole number of 1 or more.
func Count(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a whole number above 0: write 1 or more", s)
	}
	return n, nil
}
