package dav

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// updateRange is the part of a file that a request replaces. It may extend beyond the
// end of the file, which then grows.
type updateRange struct {
	// first and last are byte positions from 0. last is -1 if the length of the body
	// decides.
	first, last int64
	// suffix, if not negative, is how many bytes before the end of the file the range
	// begins; 0 appends. If it is -1, the range begins at first.
	suffix int64
	// whole is the length of the file once all parts have arrived; 0 if unknown.
	whole int64
}

var (
	errUpdateRange      = badField("the header X-Update-Range must be bytes=FIRST-LAST, bytes=FIRST-, bytes=-NUMBER or append")
	errContentRangeForm = badField("the header Content-Range must be bytes FIRST-LAST/LENGTH or bytes FIRST-LAST/*")
	errRangeReversed    = &fieldError{status: http.StatusRequestedRangeNotSatisfiable, reason: "the last byte of the range comes before the first"}
)

// parseUpdateRange parses the header X-Update-Range of a PATCH.
func parseUpdateRange(values []string) (*updateRange, error) {
	if len(values) != 1 {
		return nil, errUpdateRange
	}
	value := strings.TrimSpace(values[0])
	if strings.EqualFold(value, "append") {
		return &updateRange{last: -1, suffix: 0}, nil
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
		return &updateRange{last: -1, suffix: to}, nil
	case okFrom && last == "":
		return &updateRange{first: from, last: -1, suffix: -1}, nil
	case okFrom && okTo && to < from:
		return nil, errRangeReversed
	case okFrom && okTo:
		return &updateRange{first: from, last: to, suffix: -1}, nil
	}
	return nil, errUpdateRange
}

// parseContentRange parses the header Content-Range of a PUT (RFC 9110 §14.4). The
// length after the slash is that of the complete file. Its parts may come in several
// requests; until the last, the file may be shorter, but never longer.
func parseContentRange(values []string) (*updateRange, error) {
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
	return &updateRange{first: from, last: to, suffix: -1, whole: whole}, nil
}

// parsePosition parses a string of digits. It refuses math.MaxInt64, so that adding 1
// can't overflow.
func parsePosition(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil && n < math.MaxInt64
}
