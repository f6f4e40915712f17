package dav

import (
	"slices"
	"strings"
	"testing"
)

func TestRequestedRanges(t *testing.T) {
	const far = "99999999999999999999"
	many := func(n int) string { return "bytes=" + strings.TrimSuffix(strings.Repeat("0-0,", n), ",") }
	apart := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(rangeHeader([]byteRange{{int64(10 * i), 1}})[len("bytes="):] + ",")
		}
		return "bytes=" + b.String()
	}
	for _, c := range []struct {
		name, value string
		size        int64
		want        []byteRange
		err         error
	}{
		{"§14.1.2 first and last", "bytes=1-2", 10, []byteRange{{1, 2}}, nil},
		{"§14.1.2 one byte", "bytes=9-9", 10, []byteRange{{9, 1}}, nil},
		{"§14.1.2 to the end", "bytes=3-", 10, []byteRange{{3, 7}}, nil},
		{"§14.1.2 up to beyond the end", "bytes=3-10", 10, []byteRange{{3, 7}}, nil},
		{"§14.1.2 up to far beyond the end", "bytes=3-" + far, 10, []byteRange{{3, 7}}, nil},
		{"§14.1.2 the last bytes", "bytes=-4", 10, []byteRange{{6, 4}}, nil},
		{"§14.1.2 more of the last bytes than there are", "bytes=-11", 10, []byteRange{{0, 10}}, nil},
		{"§14.1.2 far more of the last bytes", "bytes=-" + far, 10, []byteRange{{0, 10}}, nil},
		{"§14.1.2 the last zero bytes", "bytes=-0", 10, nil, errRangeUnsatisfiable},
		{"§14.1.2 after the end", "bytes=10-", 10, nil, errRangeUnsatisfiable},
		{"§14.1.2 far after the end", "bytes=" + far + "-", 10, nil, errRangeUnsatisfiable},
		{"§14.1.2 far after the end, both bounds", "bytes=" + far + "-" + far, 10, nil, errRangeUnsatisfiable},
		{"§14.1.1 reversed", "bytes=5-2", 10, nil, errRangeForm},
		{"§14.1.1 not a number", "bytes=a-b", 10, nil, errRangeForm},
		{"§14.1.1 a sign", "bytes=+1-2", 10, nil, errRangeForm},
		{"§14.1.1 a minus sign", "bytes=--1", 10, nil, errRangeForm},
		{"§14.1.1 no dash", "bytes=1", 10, nil, errRangeForm},
		{"§14.1.1 only a dash", "bytes=-", 10, nil, errRangeForm},
		{"§14.1.1 no range", "bytes=", 10, nil, errRangeForm},
		{"§14.1.1 one malformed range", "bytes=0-0,x", 10, nil, errRangeForm},
		{"§14.1 units in capitals", "Bytes=1-2", 10, []byteRange{{1, 2}}, nil},
		{"§14.2 another unit", "lines=1-2", 10, nil, nil},
		{"§14.2 no unit", "1-2", 10, nil, nil},
		{"§14.2 empty", "", 10, nil, nil},
		{"an empty file", "bytes=0-", 0, nil, nil},
		{"the end of an empty file", "bytes=-5", 0, nil, nil},
		{"§5.6.1.2 empty elements", "bytes=, 0-0 ,\t, 4-5,", 10, []byteRange{{0, 1}, {4, 2}}, nil},
		{"§14.2 in the order of the request", "bytes=4-5,0-0", 10, []byteRange{{4, 2}, {0, 1}}, nil},
		{"§14.2 one after the end", "bytes=10-11,-0,0-0", 10, []byteRange{{0, 1}}, nil},
		{"§14.2 all after the end", "bytes=10-11,-0,12-", 10, nil, errRangeUnsatisfiable},
		{"§14.2 two that overlap", "bytes=0-2,2-3", 10, []byteRange{{0, 3}, {2, 2}}, nil},
		{"§14.2 three that overlap", "bytes=0-2,2-3,1-1", 10, nil, nil},
		{"§14.2 one contains the others", "bytes=0-4,1-1,3-3", 10, nil, nil},
		{"§14.2 more than the file in total", "bytes=0-8,0-8", 10, nil, nil},
		{"§17.15 the same many times", many(maxRanges), 1 << 20, nil, nil},
		{"§17.15 as many as allowed", apart(maxRanges), 1 << 20, nil, nil},
		{"§17.15 too many", apart(maxRanges + 1), 1 << 20, nil, nil},
		{"longer than any file", "bytes=0-" + far + ",-" + far, 1<<63 - 1, nil, nil},
	} {
		if c.name == "§17.15 as many as allowed" {
			for i := range maxRanges {
				c.want = append(c.want, byteRange{int64(10 * i), 1})
			}
		}
		got, err := requestedRanges([]string{c.value}, c.size)
		if !slices.Equal(got, c.want) || err != c.err { //nolint:errorlint // it is this one
			t.Errorf("%s: %.40q of %d: %v, %v, want %v, %v", c.name, c.value, c.size, got, err, c.want, c.err)
		}
	}
	// In two fields, it is not a valid Range (RFC 9110 §5.3).
	if got, err := requestedRanges([]string{"bytes=0-0", "bytes=1-1"}, 10); got != nil || err != nil {
		t.Errorf("two lines: %v, %v", got, err)
	}
}
