// Package tables has what the SQL databases of a state have in common: the tables of dead
// properties, past operations, application passwords and shares, and how names and times are
// stored in them.
package tables

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Text returns s as text that every database accepts. If one string begins with another
// one and a slash, so do their texts.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsAny(s, "%\x00") {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if c := s[0]; r == utf8.RuneError && size == 1 || c == '%' || c == 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// Untext is the reverse of Text.
func Untext(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

// Key returns the name under which a resource is stored.
func Key(name string) string {
	if name == "/" {
		return name
	}
	return Text(name) + "/"
}

// Unkey is the reverse of Key.
func Unkey(key string) string {
	return cmp.Or(Untext(strings.TrimSuffix(key, "/")), "/")
}

// Tree returns the range of the keys in a tree: from is the first key, and to is the
// first key after the range.
func Tree(name string) (from, to string) {
	from = Key(name)
	return from, from[:len(from)-1] + "0" // "0" comes after "/".
}

// Array returns values, each encoded by as, as a JSON array.
func Array[T, E any](values []T, as func(T) E) string {
	encoded := make([]E, len(values))
	for i, value := range values {
		encoded[i] = as(value)
	}
	content, _ := json.Marshal(encoded) // Text can always be encoded.
	return string(content)
}
