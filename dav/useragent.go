package dav

import (
	"cmp"
	"strconv"
	"strings"
)

// product is one of a User-Agent, such as neon/0.32.5.
type product struct{ name, version string }

// products returns the products of a User-Agent (RFC 9110 §10.1.5): tokens, each
// with a version or without. Comments are left out: what they name is what a
// program is like, or runs on. What is no token is no product.
func products(userAgent string) []product {
	var found []product
	for field := range strings.FieldsSeq(withoutComments(userAgent)) {
		name, version, _ := strings.Cut(field, "/")
		if isToken(name) {
			found = append(found, product{name, strings.TrimPrefix(version, "v")})
		}
	}
	return found
}

// withoutComments returns s with a space for each comment (RFC 9110 §5.6.5),
// which may hold others and quoted pairs. One that does not end goes to the end.
func withoutComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	plain := make([]byte, 0, len(s))
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			depth++
		case depth == 0:
			plain = append(plain, c)
		case c == '\\':
			i++
		case c == ')':
			if depth--; depth == 0 {
				plain = append(plain, ' ')
			}
		}
	}
	return string(plain)
}

// isToken reports whether s is one (RFC 9110 §5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

// isVersion reports whether a version can be compared.
func isVersion(version string) bool {
	return version != "" && version[0] >= '0' && version[0] <= '9'
}

// compareVersions compares dotted numbers, as many as stand at the beginning.
// With something after them, such as -beta or rc1, a version comes before the
// one without.
func compareVersions(a, b string) int {
	for isVersion(a) || isVersion(b) {
		var x, y int
		x, a = cutNumber(a)
		y, b = cutNumber(b)
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	switch {
	case a != "" && b == "":
		return -1
	case a == "" && b != "":
		return 1
	}
	return 0
}

// cutNumber cuts a number and a dot behind it from the beginning of s. Without
// a number it is 0.
func cutNumber(s string) (number int, rest string) {
	if !isVersion(s) {
		return 0, s
	}
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	number, _ = strconv.Atoi(s[:end]) // the greatest int when it is too long for one
	return number, strings.TrimPrefix(s[end:], ".")
}
