package field

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// UpdateRange is the part of a file that a request replaces. It may extend beyond the
// end of the file, which then grows.
type UpdateRange struct {
	// First and last are byte positions from 0. last is -1 if the length of the body
	// decides.
	First, Last int64
	// Suffix, if not negative, is how many bytes before the end of the file the range
	// begins; 0 appends. If it is -1, the range begins at first.
	Suffix int64
	// Whole is the length of the file once all parts have arrived; 0 if unknown.
	Whole int64
}

var (
	errUpdateRange      = Bad("the header X-Update-Range must be bytes=FIRST-LAST, bytes=FIRST-, bytes=-NUMBER or append")
	errContentRangeForm = Bad("the header Content-Range must be bytes FIRST-LAST/LENGTH or bytes FIRST-LAST/*")
	errRangeReversed    = &Error{Status: http.StatusRequestedRangeNotSatisfiable, Reason: "the last byte of the range comes before the first"}
)

// ParseUpdateRange parses the header X-Update-Range of a PATCH.
func ParseUpdateRange(values []string) (*UpdateRange, error) {
	if len(values) != 1 {
		return nil, errUpdateRange
	}
	value := strings.TrimSpace(values[0])
	if strings.EqualFold(value, "append") {
		return &UpdateRange{Last: -1, Suffix: 0}, nil
	}
	unit, bytes, _ := strings.Cut(value, "=")
	first, last, found := strings.Cut(bytes, "-")
	if !found || !strings.EqualFold(unit, "bytes") {
		return nil, errUpdateRange
	}
	from, okFrom := parsePosition(first)
	to, okTo := parsePosition(last)
	switch {
	case first == "" && okTo && to > 0:
		return &UpdateRange{Last: -1, Suffix: to}, nil
	case okFrom && last == "":
		return &UpdateRange{First: from, Last: -1, Suffix: -1}, nil
	case okFrom && okTo && to < from:
		return nil, errRangeReversed
	case okFrom && okTo:
		return &UpdateRange{First: from, Last: to, Suffix: -1}, nil
	}
	return nil, errUpdateRange
}

// ParseContentRange parses the header Content-Range of a PUT (RFC 9110 §14.4). The
// length after the slash is that of the complete file. Its parts may come in several
// requests; until the last, the file may be shorter, but never longer.
func ParseContentRange(values []string) (*UpdateRange, error) {
	if len(values) != 1 {
		return nil, errContentRangeForm
	}
	unit, value, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	bytes, length, found := strings.Cut(value, "/")
	first, last, dash := strings.Cut(bytes, "-")
	from, okFrom := parsePosition(first)
	to, okTo := parsePosition(last)
	whole, okWhole := parsePosition(length)
	if length == "*" {
		whole, okWhole = 0, true
	} else if to >= whole {
		okWhole = false
	}
	if !found || !dash || !strings.EqualFold(unit, "bytes") || !okFrom || !okTo || !okWhole || to < from {
		return nil, errContentRangeForm
	}
	return &UpdateRange{First: from, Last: to, Suffix: -1, Whole: whole}, nil
}

// parsePosition parses a string of digits. It refuses math.MaxInt64, so that adding 1
// can't overflow.
func parsePosition(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil && n < math.MaxInt64
}
