package dav

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestProducts(t *testing.T) {
	for _, c := range []struct {
		name, userAgent string
		want            []product
	}{
		{"RFC 9110 §10.1.5", "CERN-LineMode/2.15 libwww/2.17b3", []product{{"CERN-LineMode", "2.15"}, {"libwww", "2.17b3"}}},
		{"RFC 9110 §10.1.5 without a version", "curl", []product{{"curl", ""}}},
		{"RFC 9110 §5.6.2 every character of a token", "!#$%&'*+-.^_`|~09azAZ/1", []product{{"!#$%&'*+-.^_`|~09azAZ", "1"}}},
		{"RFC 9110 §5.6.2 no token", "cu@rl/1 a:b/2 [x] c{/3", nil},
		{"RFC 9110 §5.6.5 comment", "a/1 (b/2) c/3", []product{{"a", "1"}, {"c", "3"}}},
		{"RFC 9110 §5.6.5 comment in a comment", "a/1 (b (c/2) d/3) e/4", []product{{"a", "1"}, {"e", "4"}}},
		{"RFC 9110 §5.6.5 quoted pair", `a/1 (b\) c/2 \( \\) d/3`, []product{{"a", "1"}, {"d", "3"}}},
		{"RFC 9110 §5.6.5 quoted pair at the end", `a/1 (b\`, []product{{"a", "1"}}},
		{"a comment without its end", "a/1 (b/2 c/3", []product{{"a", "1"}}},
		{"a comment without its beginning", "a/1) b/2", []product{{"a", "1)"}, {"b", "2"}}},
		{"a comment without space around it", "x(comment)curl/7.88.1", []product{{"x", ""}, {"curl", "7.88.1"}}},
		{"nothing but the end and the beginning of one", ")( curl/7", nil},
		{"v before the version", "rclone/v1.60.1", []product{{"rclone", "1.60.1"}}},
		{"two slashes", "a/b/c", []product{{"a", "b/c"}}},
		{"no name", "/1", nil},
		{"space of any kind", " \t a/1 \t  b/2 ", []product{{"a", "1"}, {"b", "2"}}},
		{"empty", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := products(c.userAgent); !slices.Equal(got, c.want) {
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
		if got := compareVersions(c.a, c.b); got != c.want {
			t.Errorf("%q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
		if got := compareVersions(c.b, c.a); got != -c.want {
			t.Errorf("%q to %q is %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

// FuzzUserAgent: whatever a client calls itself, a comment never counts, a row
// that counts is one of a product that is named, and naming one more client
// never gains anything.
func FuzzUserAgent(f *testing.F) {
	for _, s := range []string{
		"davfs2/1.6.1 neon/0.32.5", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", `a (b (c\)) d) e/v1.2-rc3`,
		"Mozilla/5.0 (X11; Linux x86_64) KIO/5.103", "rclone/v1.60.1-DEV", ")((", "neon/99999999999999999999.1", "python-requests",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, userAgent string) {
		i := new(Interim)
		row, known := i.client(userAgent)
		if known && !slices.ContainsFunc(products(userAgent), func(p product) bool { return strings.EqualFold(p.name, row.Product) }) {
			t.Fatalf("%q is %q", userAgent, row.Product)
		}
		for _, p := range products(userAgent) {
			if !isToken(p.name) || strings.ContainsAny(p.name, "()") {
				t.Fatalf("%q has the product %q", userAgent, p.name)
			}
			if c := compareVersions(p.version, p.version); c != 0 {
				t.Fatalf("%q compares to itself as %d", p.version, c)
			}
		}
		for _, more := range knownClients {
			if strings.ContainsAny(userAgent, `(`) {
				break // it may be inside a comment
			}
			both, _ := i.client(fmt.Sprintf("%s %s", userAgent, more.Product))
			if known && row.Cap < both.Cap || both.Cap > more.Cap {
				t.Fatalf("%q has cap %d, with %s %d", userAgent, row.Cap, more.Product, both.Cap)
			}
		}
		if hidden, known := i.client("(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(userAgent) + ")"); known {
			t.Fatalf("%q counts in a comment as %q", userAgent, hidden.Product)
		}
	})
}
