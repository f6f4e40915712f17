package field

import (
	"net/http"
	"time"
)

// AppendHTTPDate appends t in the format of HTTP (RFC 9110 §5.6.7). In a listing,
// time.AppendFormat would cost as much as everything else together.
func AppendHTTPDate(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, http.TimeFormat)
	}
	hour, minute, second := t.Clock()
	dst = append(dst, t.Weekday().String()[:3]...)
	dst = append(dst, ", "...)
	dst = append(appendTwo(dst, day), ' ')
	dst = append(dst, month.String()[:3]...)
	dst = append(dst, ' ')
	dst = append(appendTwo(appendTwo(dst, year/100), year%100), ' ')
	dst = append(appendTwo(dst, hour), ':')
	dst = append(appendTwo(dst, minute), ':')
	return append(appendTwo(dst, second), " GMT"...)
}

// AppendTimestamp appends t in the format of RFC 3339, in UTC and whole seconds.
func AppendTimestamp(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, time.RFC3339)
}

// appendTwo appends the two digits of n, which is below 100.
func appendTwo(dst []byte, n int) []byte {
	return append(dst, '0'+byte(n/10), '0'+byte(n%10)) //nolint:gosec // n is below 100
}

// Time returns the date in the values of a header field. It ignores a field that is invalid or
// repeated (RFC 9110 §13.1.3, §13.1.4).
func Time(values []string) (time.Time, bool) {
	if len(values) != 1 {
		return time.Time{}, false
	}
	t, err := http.ParseTime(values[0])
	return t, err == nil
}
