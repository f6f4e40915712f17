package field

import (
	"slices"
	"testing"
)

func TestListElements(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		want   []string
	}{
		{"none", nil, nil},
		{"RFC 9110 §5.6.1 list", []string{"a,b , c"}, []string{"a", "b", "c"}},
		{"RFC 9110 §5.6.1.2 empty elements", []string{", a,, b,"}, []string{"a", "b"}},
		{"RFC 9110 §5.3 several headers", []string{"a, b", "c"}, []string{"a", "b", "c"}},
		{"RFC 9110 §5.6.4 quoted string", []string{`a="b,c", d`}, []string{`a="b,c"`, "d"}},
		{"RFC 9110 §5.6.4 quoted pair", []string{`"\",", b`}, []string{`"\","`, "b"}},
		{"a backslash outside of quotes", []string{`a\,b`}, []string{`a\`, "b"}},
		{"backslash at the end", []string{`"a\`}, []string{`"a\`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := slices.Collect(Elements(c.values)); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("stops", func(t *testing.T) {
		for element := range Elements([]string{"a, b", "c"}) {
			if element != "a" {
				t.Fatalf("%q after the end", element)
			}
			break
		}
	})
}
