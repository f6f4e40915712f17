package interim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav/internal/field"
)

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
		i := new(Policy)
		row, known := i.Client(userAgent)
		if known && !slices.ContainsFunc(field.Products(userAgent), func(p field.Product) bool { return strings.EqualFold(p.Name, row.Product) }) {
			t.Fatalf("%q is %q", userAgent, row.Product)
		}
		for _, p := range field.Products(userAgent) {
			if !field.IsToken(p.Name) || strings.ContainsAny(p.Name, "()") {
				t.Fatalf("%q has the product %q", userAgent, p.Name)
			}
			if c := field.CompareVersions(p.Version, p.Version); c != 0 {
				t.Fatalf("%q compares to itself as %d", p.Version, c)
			}
		}
		for _, more := range knownClients {
			if strings.ContainsAny(userAgent, `(`) {
				break // it may be inside a comment
			}
			both, _ := i.Client(fmt.Sprintf("%s %s", userAgent, more.Product))
			if known && row.Cap < both.Cap || both.Cap > more.Cap {
				t.Fatalf("%q has cap %d, with %s %d", userAgent, row.Cap, more.Product, both.Cap)
			}
		}
		if hidden, known := i.Client("(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(userAgent) + ")"); known {
			t.Fatalf("%q counts in a comment as %q", userAgent, hidden.Product)
		}
	})
}
