package field

import (
	"testing"
	"time"
)

func TestMtime(t *testing.T) {
	for value, want := range map[string]time.Time{
		"0":                    time.Unix(0, 0),
		"1234567890":           time.Unix(1234567890, 0),
		" 1234567890 ":         time.Unix(1234567890, 0),
		"+5":                   time.Unix(5, 0),
		"-5":                   time.Unix(-5, 0),
		"1.5":                  time.Unix(1, 500_000_000),
		"1.":                   time.Unix(1, 0),
		"1.000000001":          time.Unix(1, 1),
		"1.1234567899":         time.Unix(1, 123_456_789),
		"-1.5":                 time.Unix(-2, 500_000_000),
		"-0.25":                time.Unix(-1, 750_000_000),
		"253402300799":         time.Unix(253402300799, 0),
		"253402300800":         {},
		"-253402300800":        {},
		"99999999999999999999": {},
		"":                     {},
		".5":                   {},
		"1e9":                  {},
		"0x10":                 {},
		"1.-5":                 {},
		"1.5.5":                {},
		"NaN":                  {},
		"1 2":                  {},
		"yesterday":            {},
	} {
		if got := ParseMtime(value); !got.Equal(want) {
			t.Errorf("%q is %v, want %v", value, got, want)
		}
	}
}
