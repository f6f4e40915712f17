package dav

import (
	"net/http"
	"slices"
	"testing"

	"github.com/davd/davd/storage/tree"
)

// requestWith creates a request with header fields, given as pairs of name and value.
func requestWith(method string, fields ...string) *http.Request {
	r := &http.Request{Method: method, Host: "davd.test", Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// unset is the value of a header that is not sent.
const unset = "(unset)"

func TestDepth(t *testing.T) {
	const absent = 7
	for _, c := range []struct {
		name    string
		value   string
		allowed []string
		want    int
		status  int
	}{
		{"§10.2 absent", unset, []string{"0"}, absent, 0},
		{"§10.2 empty", "", []string{"0"}, 0, http.StatusBadRequest},
		{"§10.2 0", "0", []string{"0", "1", "infinity"}, 0, 0},
		{"§10.2 1", "1", []string{"0", "1", "infinity"}, 1, 0},
		{"§10.2 infinity", "infinity", []string{"0", "1", "infinity"}, tree.Infinite, 0},
		{"§8.2 in any case", "Infinity", []string{"0", "infinity"}, tree.Infinite, 0},
		{"§8.2 upper case", "INFINITY", []string{"infinity"}, tree.Infinite, 0},
		{"§9.8.3 1 for COPY", "1", []string{"0", "infinity"}, 0, http.StatusBadRequest},
		{"§9.9.2 0 for MOVE", "0", []string{"infinity"}, 0, http.StatusBadRequest},
		{"2", "2", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"-1", "-1", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"01", "01", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"not a number", "deep", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"list", "0, infinity", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"RFC 3253 noroot", "1,noroot", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := requestWith("COPY")
			if c.value != unset {
				r = requestWith("COPY", "Depth", c.value)
			}
			got, err := depth(r, absent, c.allowed...)
			if got != c.want || statusOf(err) != c.status {
				t.Errorf("Depth %q is %d, status %d, want %d, %d", c.value, got, statusOf(err), c.want, c.status)
			}
		})
	}
}

func TestOverwrite(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
		status      int
	}{
		{"§10.6 absent", unset, true, 0},
		{"§10.6 empty", "", false, http.StatusBadRequest},
		{"§10.6 T", "T", true, 0},
		{"§10.6 F", "F", false, 0},
		{"§8.2 t", "t", true, 0},
		{"§8.2 f", "f", false, 0},
		{"true", "true", false, http.StatusBadRequest},
		{"list", "T, F", false, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := requestWith("COPY")
			if c.value != unset {
				r = requestWith("COPY", "Overwrite", c.value)
			}
			got, err := overwrite(r)
			if got != c.want || statusOf(err) != c.status {
				t.Errorf("Overwrite %q is %t, status %d, want %t, %d", c.value, got, statusOf(err), c.want, c.status)
			}
		})
	}
}

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
			r := requestWith("COPY")
			r.Header["Prefer"] = c.values
			if got := prefers(r, "processing"); got != c.want {
				t.Errorf("%t for %q, want %t", got, c.values, c.want)
			}
		})
	}
}

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
			if got := slices.Collect(listElements(c.values)); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("stops", func(t *testing.T) {
		for element := range listElements([]string{"a, b", "c"}) {
			if element != "a" {
				t.Fatalf("%q after the end", element)
			}
			break
		}
	})
}
