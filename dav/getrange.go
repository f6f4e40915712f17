package dav

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/davd/davd/dav/internal/status"
)

// byteRange is a part of a file: length bytes starting at first.
type byteRange struct{ first, length int64 }

// maxRanges is how many ranges one request may have. Each one adds a header to the
// answer, which may be longer than the range itself.
const maxRanges = 64

var (
	errRangeForm          = status.New(http.StatusRequestedRangeNotSatisfiable, "the header Range must be bytes= and a list of FIRST-LAST, FIRST- or -NUMBER")
	errRangeUnsatisfiable = status.New(http.StatusRequestedRangeNotSatisfiable, "the file has none of the bytes that the header Range asks for")
)

// requestedRanges reads the header Range (RFC 9110 §14.2) of a request for a file of
// size bytes. It returns no ranges if the server should send the whole file: if it
// doesn't know the unit, if the file is empty, so that no Content-Range can describe a
// part, or if the ranges cost the server too much (§17.15).
func requestedRanges(values []string, size int64) ([]byteRange, error) {
	if len(values) != 1 || size == 0 {
		return nil, nil
	}
	unit, set, found := strings.Cut(values[0], "=")
	if !found || !strings.EqualFold(unit, "bytes") {
		return nil, nil
	}
	var ranges []byteRange
	specs := 0
	for spec := range strings.SplitSeq(set, ",") {
		if spec = strings.Trim(spec, " \t"); spec == "" {
			continue
		}
		if specs++; specs > maxRanges {
			return nil, nil
		}
		b, err := parseByteRange(spec, size)
		if err != nil {
			return nil, err
		}
		if b.length > 0 {
			ranges = append(ranges, b)
		}
	}
	switch {
	case specs == 0:
		return nil, errRangeForm
	case len(ranges) == 0:
		return nil, errRangeUnsatisfiable
	case excessive(ranges, size):
		return nil, nil
	}
	return ranges, nil
}

// parseByteRange reads one range (RFC 9110 §14.1.2). The result has length 0 if the
// range lies after the end of the file.
func parseByteRange(spec string, size int64) (byteRange, error) {
	first, last, dash := strings.Cut(spec, "-")
	from, okFrom := parseBound(first)
	to, okTo := parseBound(last)
	switch {
	case !dash:
		return byteRange{}, errRangeForm
	case first == "" && okTo:
		length := min(to, size)
		return byteRange{size - length, length}, nil
	case okFrom && last == "":
		to = math.MaxInt64
	case !okFrom || !okTo || to < from:
		return byteRange{}, errRangeForm
	}
	if from >= size {
		return byteRange{}, nil
	}
	return byteRange{from, min(to, size-1) - from + 1}, nil
}

// parseBound reads a number that consists only of digits. It returns the largest number
// for one that is too large, because no file is that long.
func parseBound(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil || errors.Is(err, strconv.ErrRange)
}

// excessive reports whether ranges are longer than the file in total, or overlap more
// than once (RFC 9110 §14.2).
func excessive(ranges []byteRange, size int64) bool {
	overlaps, end := 0, int64(0)
	for _, b := range slices.SortedFunc(slices.Values(ranges), func(a, b byteRange) int { return cmp.Compare(a.first, b.first) }) {
		if b.length > size {
			return true
		}
		size -= b.length
		if b.first < end {
			overlaps++
		}
		end = max(end, b.first+b.length)
	}
	return overlaps > 1
}

// rangeHeader returns the header Range that asks for ranges.
func rangeHeader(ranges []byteRange) string {
	specs := make([]string, len(ranges))
	for i, b := range ranges {
		specs[i] = fmt.Sprintf("%d-%d", b.first, b.first+b.length-1)
	}
	return "bytes=" + strings.Join(specs, ",")
}
