package field

import (
	"net/http"
	"testing"
)

func TestPrefers(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		want   bool
	}{
		{"absent", nil, false},
		{"empty", []string{""}, false},
		{"alone", []string{"processing"}, true},
		{"RFC 7240 §2 in any case", []string{"Processing"}, true},
		{"among others", []string{"respond-async, processing, wait=5"}, true},
		{"in the second header", []string{"respond-async", "processing"}, true},
		{"with a parameter", []string{"processing; interval=5"}, true},
		{"with a parameter without white space", []string{"processing;interval=5"}, true},
		{"RFC 7240 §2 empty value", []string{`processing=""`}, true},
		{"white space", []string{"\t processing \t"}, true},
		{"empty elements", []string{",, ,processing,"}, true},
		{"only part of the word", []string{"processing-time"}, false},
		{"only the end of the word", []string{"no-processing"}, false},
		{"as a value", []string{"foo=processing"}, false},
		{"as a parameter", []string{"foo; processing"}, false},
		{"in a quoted string", []string{`foo="a, processing, b"`}, false},
		{"after a quoted string", []string{`foo="a, b", processing`}, true},
		{"in a quoted string after an escaped quote", []string{`foo="a\", processing, b"`}, false},
		{"after a quoted string that ends in an escaped backslash", []string{`foo="a\\", processing`}, true},
		{"in a quoted string that does not end", []string{`foo="a, processing`}, false},
		{"a quoted string does not continue in the next header", []string{`foo="a`, `processing`}, true},
		{"two words", []string{"pro cessing"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ParsePreferences(http.Header{"Prefer": c.values}).Processing; got != c.want {
				t.Errorf("%t for %q, want %t", got, c.values, c.want)
			}
		})
	}
}

// TestMinimal tests Prefer: return=minimal. If the preference is repeated, the first
// counts (RFC 7240 §2).
func TestMinimal(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"return=minimal"}, "Prefer"},
		{[]string{`depth-noroot, Return="minimal"; x=y`}, "Prefer"},
		{[]string{"return=minimal, return=representation"}, "Prefer"},
		{[]string{"return=representation, return=minimal"}, ""},
		{[]string{"return=representation", "return=minimal"}, ""},
		{[]string{"return, return=minimal"}, ""},
		{[]string{"x=minimal"}, ""},
	} {
		if got := ParsePreferences(http.Header{"Prefer": c.values}).Minimal; got != c.want {
			t.Errorf("%q: %q, want %q", c.values, got, c.want)
		}
	}
}
