package main

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func TestStatistics(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * ms
	}
	tests := []struct {
		name      string
		got, want time.Duration
	}{
		{"median of an odd number", median([]time.Duration{9 * ms, ms, 2 * ms}), 2 * ms},
		{"median of an even number", median([]time.Duration{9 * ms, ms, 4 * ms, 2 * ms}), 3 * ms},
		{"median of one", median([]time.Duration{ms}), ms},
		{"median of none", median(nil), 0},
		{"least", least([]time.Duration{9 * ms, ms, 2 * ms}), ms},
		{"least of none", least(nil), 0},
		{"99 % of a hundred", quantile(hundred, 0.99), 99 * ms},
		{"all of a hundred", quantile(hundred, 1), 100 * ms},
		{"99 % of three", quantile(hundred[:3], 0.99), 100 * ms},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
	if hundred[0] != 100*ms {
		t.Error("the samples were put in order")
	}
}

func TestUnit(t *testing.T) {
	tests := []struct {
		unit unit
		time time.Duration
		want string
	}{
		{unit{}, 281 * ms, "281 ms"},
		{unit{}, 54321 * time.Microsecond, "54.3 ms"},
		{unit{}, 104 * time.Microsecond, "0.104 ms"},
		{unit{}, 9 * time.Microsecond, "0.009 ms"},
		{unit{}, 1525 * ms, "1.52 s"},
		{unit{}, 123 * time.Second, "123 s"},
		{unit{}, 0, "–"},
		{unit{20_000, perSecond}, 500 * ms, "40,000/s"},
		{unit{100, perSecond}, time.Second, "100/s"},
		{unit{1e9, bytesPerSecond}, 200 * ms, "5.00 GB/s"},
		{unit{1e9, bytesPerSecond}, 0, "–"},
	}
	for _, test := range tests {
		if got := test.unit.format(test.time); got != test.want {
			t.Errorf("%v of %+v: got %q, want %q", test.time, test.unit, got, test.want)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 92_389: "92,389", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRatio(t *testing.T) {
	if got := ratio(144*ms, 100*ms); got != "×1.44" {
		t.Errorf("got %q", got)
	}
	for _, pair := range [][2]time.Duration{{0, ms}, {ms, 0}} {
		if got := ratio(pair[0], pair[1]); got != "" {
			t.Errorf("got %q of %v", got, pair)
		}
	}
}
