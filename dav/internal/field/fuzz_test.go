package field

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzIf: a header that parses can be formatted, and then parses to the same value.
func FuzzIf(f *testing.F) {
	for _, s := range []string{
		`(<urn:uuid:181d4fae> ["I am an ETag"]) (["I am another ETag"])`,
		`</resource1> (<x:1> [W/"A weak ETag"]) (Not ["strong ]"])`,
		`(Not <DAV:no-lock>)`, `</a>(<b>)</c>`, `((`, `(Not`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		header, err := ParseIf([]string{s})
		if err != nil {
			if header != nil || fieldStatus(err) != http.StatusBadRequest {
				t.Fatalf("%v, %v", header, err)
			}
			return
		}
		again, err := ParseIf([]string{formatIf(header)})
		if err != nil || !reflect.DeepEqual(again, header) {
			t.Fatalf("%q is %v, and then %v, %v", s, header, again, err)
		}
	})
}

// formatIf is the inverse of ParseIf.
func formatIf(header If) string {
	var b strings.Builder
	for _, list := range header {
		if list.Tag != "" {
			b.WriteString("<" + list.Tag + ">")
		}
		b.WriteByte('(')
		for _, c := range list.Conditions {
			if c.Not {
				b.WriteString("Not")
			}
			if c.Token != "" {
				b.WriteString("<" + c.Token + ">")
			} else {
				b.WriteString("[" + c.ETag + "]")
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

// FuzzLists: no header makes the parsers of lists and Depth panic, and no element
// begins inside a quoted string.
func FuzzLists(f *testing.F) {
	for _, s := range []string{"0", "infinity", `processing; a="b, c", d`, `"a\", processing`, ",,;=", `1.0 fred, 1.1 x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDepth([]string{s}).In("PROPFIND", "0", "1", "infinity"); err == nil && d != 0 && d != 1 && d != Infinite {
			t.Fatalf("Depth %q is %d", s, d)
		}
		elements := slices.Collect(Elements([]string{s}))
		for _, element := range elements {
			if element == "" || element != strings.TrimSpace(element) || !strings.Contains(s, element) {
				t.Fatalf("%q has the element %q", s, element)
			}
		}
		if !strings.ContainsAny(s, `"`) && len(elements) > strings.Count(s, ",")+1 {
			t.Fatalf("%q has the elements %q", s, elements)
		}
		quoted := `x="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		if got := slices.Collect(Elements([]string{quoted})); len(got) != 1 {
			t.Fatalf("%q has the elements %q", quoted, got)
		}
		if ParsePreferences(http.Header{"Prefer": {quoted}}).Processing {
			t.Fatalf("%q prefers processing", quoted)
		}
	})
}
