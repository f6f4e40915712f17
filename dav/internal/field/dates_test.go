package field

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

// TestDates compares the results with those of package time, for dates in all years.
func TestDates(t *testing.T) {
	times := []time.Time{
		{},
		time.Unix(0, 0), time.Unix(-1, 999_999_999), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 1, 2, 3, 4, time.FixedZone("", 5*3600)),
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		times = append(times, time.Unix(random.Int64N(1e12)-5e11, random.Int64N(1e9)))
	}
	for _, at := range times {
		if got, want := string(AppendHTTPDate(nil, at)), at.UTC().Format(http.TimeFormat); got != want {
			t.Fatalf("RFC 9110 §5.6.7: %q, want %q", got, want)
		}
		if got, want := string(AppendTimestamp(nil, at)), at.UTC().Format(time.RFC3339); got != want {
			t.Fatalf("RFC 3339: %q, want %q", got, want)
		}
	}
}
