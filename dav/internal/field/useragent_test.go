package field

import (
	"slices"
	"testing"
)

func TestProducts(t *testing.T) {
	for _, c := range []struct {
		name, userAgent string
		want            []Product
	}{
		{"RFC 9110 §10.1.5", "CERN-LineMode/2.15 libwww/2.17b3", []Product{{"CERN-LineMode", "2.15"}, {"libwww", "2.17b3"}}},
		{"RFC 9110 §10.1.5 without a version", "curl", []Product{{"curl", ""}}},
		{"RFC 9110 §5.6.2 every character of a token", "!#$%&'*+-.^_`|~09azAZ/1", []Product{{"!#$%&'*+-.^_`|~09azAZ", "1"}}},
		{"RFC 9110 §5.6.2 no token", "cu@rl/1 a:b/2 [x] c{/3", nil},
		{"RFC 9110 §5.6.5 comment", "a/1 (b/2) c/3", []Product{{"a", "1"}, {"c", "3"}}},
		{"RFC 9110 §5.6.5 comment in a comment", "a/1 (b (c/2) d/3) e/4", []Product{{"a", "1"}, {"e", "4"}}},
		{"RFC 9110 §5.6.5 quoted pair", `a/1 (b\) c/2 \( \\) d/3`, []Product{{"a", "1"}, {"d", "3"}}},
		{"RFC 9110 §5.6.5 quoted pair at the end", `a/1 (b\`, []Product{{"a", "1"}}},
		{"a comment without its end", "a/1 (b/2 c/3", []Product{{"a", "1"}}},
		{"a comment without its beginning", "a/1) b/2", []Product{{"a", "1)"}, {"b", "2"}}},
		{"a comment without space around it", "x(comment)curl/7.88.1", []Product{{"x", ""}, {"curl", "7.88.1"}}},
		{"nothing but the end and the beginning of one", ")( curl/7", nil},
		{"v before the version", "rclone/v1.60.1", []Product{{"rclone", "1.60.1"}}},
		{"two slashes", "a/b/c", []Product{{"a", "b/c"}}},
		{"no name", "/1", nil},
		{"space of any kind", " \t a/1 \t  b/2 ", []Product{{"a", "1"}, {"b", "2"}}},
		{"empty", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Products(c.userAgent); !slices.Equal(got, c.want) {
				t.Errorf("%q has %q, want %q", c.userAgent, got, c.want)
			}
		})
	}
}

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"1", "1", 0},
		{"1", "1.0.0", 0},
		{"1.0.1", "1", 1},
		{"0.9", "0.10", -1},
		{"2", "10", -1},
		{"1.2.3", "1.2.4", -1},
		{"1.8.0_392", "21", -1},
		{"1.0-beta", "1.0", -1},
		{"1.0-beta", "0.9", 1},
		{"1.0rc1", "1.0.0", -1},
		{"x", "0", -1},
		{"99999999999999999999", "1", 1},
	} {
		if got := CompareVersions(c.a, c.b); got != c.want {
			t.Errorf("%q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
		if got := CompareVersions(c.b, c.a); got != -c.want {
			t.Errorf("%q to %q is %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}
