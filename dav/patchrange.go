package dav

import (
	"io/fs"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// updateRange is the part of a file that a request replaces. What is beyond the
// end of the file makes it longer.
type updateRange struct {
	// first and last are the positions of bytes, from 0 on. last is -1 where it
	// follows from the length of the body.
	first, last int64
	// suffix is the number of bytes before the end where it begins; 0: at its
	// end. -1: at first.
	suffix int64
	// whole is how long the file is to be in the end, when all of its parts have
	// come; 0: not known.
	whole int64
}

var (
	errUpdateRange       = &statusError{status: http.StatusBadRequest, reason: "the header X-Update-Range must be bytes=FIRST-LAST, bytes=FIRST-, bytes=-NUMBER or append"}
	errContentRangeForm  = &statusError{status: http.StatusBadRequest, reason: "the header Content-Range must be bytes FIRST-LAST/LENGTH, or have a * for the length"}
	errUpdateRangeLength = &statusError{status: http.StatusRequestedRangeNotSatisfiable, reason: "the header X-Update-Range and the request body have not the same length"}
	errRangeReversed     = &statusError{status: http.StatusRequestedRangeNotSatisfiable, reason: "the last byte of the range comes before the first"}
	errRangeOutside      = &statusError{status: http.StatusRequestedRangeNotSatisfiable, reason: "the range does not begin in the file, nor at its end"}
	errRangeShorter      = &statusError{status: http.StatusConflict, reason: "the file that is there is longer than the header Content-Range says it is to be: delete it before the first part, or send the whole"}
)

// parseUpdateRange reads the header X-Update-Range of a PATCH.
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

// parseContentRange reads the header Content-Range of a PUT (RFC 9110 §14.4). The
// length after the slash is that of the whole in the end, which may come in
// several requests: until then the file may be shorter, but never longer.
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

// parsePosition reads digits and nothing else. The last position of all is none,
// so that the one after it can be counted.
func parsePosition(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil && n < math.MaxInt64
}

// offset returns at which byte of old, nil if there is no file, the range begins.
func (u *updateRange) offset(old fs.FileInfo) (int64, error) {
	var size int64
	if old != nil {
		size = old.Size()
	}
	offset := u.first
	if u.suffix >= 0 {
		offset = size - u.suffix
	}
	if offset < 0 || offset > size {
		return 0, errRangeOutside
	}
	if u.whole > 0 && size > u.whole {
		return 0, errRangeShorter
	}
	return offset, nil
}
