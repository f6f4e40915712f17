package dav

import (
	"net/http"
	"testing"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/lock"
)

func TestLockTimeouts(t *testing.T) {
	const day = 24 * time.Hour
	narrow := LockTimeouts{Min: time.Minute, Max: time.Hour, Default: 10 * time.Minute}
	for _, c := range []struct {
		name     string
		timeouts LockTimeouts
		fields   []string
		want     time.Duration // 0: malformed
	}{
		{"§10.7 no header", LockTimeouts{}, nil, time.Hour},
		{"§10.7 Second", LockTimeouts{}, []string{"Second-10"}, 10 * time.Second},
		{"in any case", LockTimeouts{}, []string{"second-10"}, 10 * time.Second},
		{"§10.7 the first known one", LockTimeouts{}, []string{"Extend, Foo-3,, Second-10, Infinite"}, 10 * time.Second},
		{"two fields", LockTimeouts{}, []string{"Foo", "Second-10"}, 10 * time.Second},
		{"§10.7 Infinite", LockTimeouts{}, []string{"Infinite, Second-4100000000"}, day},
		{"Infinite, granted", LockTimeouts{Max: -1}, []string{"infinite"}, lock.Infinite},
		{"Second without a Max", LockTimeouts{Max: -1}, []string{"Second-4294967295"}, 4294967295 * time.Second},
		{"the greatest", LockTimeouts{}, []string{"Second-4294967295"}, day},
		{"§10.7 greater than the greatest", LockTimeouts{Max: -1}, []string{"Second-99999999999999999999999"}, 4294967295 * time.Second},
		{"zero", LockTimeouts{}, []string{"Second-0"}, time.Second},
		{"no known one", narrow, []string{"Foo"}, 10 * time.Minute},
		{"less than Min", narrow, []string{"Second-1"}, time.Minute},
		{"more than Max", narrow, []string{"Second-3601"}, time.Hour},
		{"Infinite, more than Max", narrow, []string{"Infinite"}, time.Hour},
		{"a default out of range", LockTimeouts{Max: time.Minute}, nil, time.Minute},
		{"without a number", LockTimeouts{}, []string{"Second-"}, 0},
		{"no hyphen", LockTimeouts{}, []string{"Second"}, 0},
		{"a negative number", LockTimeouts{}, []string{"Second--1"}, 0},
		{"a sign", LockTimeouts{}, []string{"Second-+1"}, 0},
		{"a fraction", LockTimeouts{}, []string{"Second-1.5"}, 0},
	} {
		got, err := c.timeouts.granted(c.fields)
		if got != c.want || (err != nil) != (c.want == 0) || err != nil && status.Of(err) != http.StatusBadRequest {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// FuzzTimeout: with any header, the timeout is within its range.
func FuzzTimeout(f *testing.F) {
	for _, value := range []string{"Infinite", "Second-10", "Second-99999999999999999999", "Second--1", ",,\"a,b\", x", "Second-010"} {
		f.Add(value)
	}
	timeouts := LockTimeouts{Min: 7 * time.Second, Max: 11 * time.Minute}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := timeouts.granted([]string{value})
		if err == nil && (got < timeouts.Min || got > timeouts.Max) || err != nil && status.Of(err) != http.StatusBadRequest {
			t.Errorf("%q: %v, %v", value, got, err)
		}
	})
}
