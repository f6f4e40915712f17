package field

import (
	"cmp"
	"strconv"
	"strings"
)

// Product is one product in a User-Agent, such as neon/0.32.5.
type Product struct{ Name, Version string }

// Products returns the products in a User-Agent (RFC 9110 §10.1.5): tokens with an
// optional version. It ignores comments, which name compatible programs and platforms,
// and words that are not tokens.
func Products(userAgent string) []Product {
	var found []Product
	for field := range strings.FieldsSeq(withoutComments(userAgent)) {
		name, version, _ := strings.Cut(field, "/")
		if IsToken(name) {
			found = append(found, Product{name, strings.TrimPrefix(version, "v")})
		}
	}
	return found
}

// withoutComments returns s with each comment replaced by a space (RFC 9110 §5.6.5).
// Comments may contain comments and quoted pairs. One that is not closed reaches to the
// end of s.
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

// IsToken reports whether s is a token (RFC 9110 §5.6.2).
func IsToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

// IsVersion reports whether CompareVersions can compare version: it begins with a digit.
func IsVersion(version string) bool {
	return version != "" && version[0] >= '0' && version[0] <= '9'
}

// CompareVersions compares the dotted numbers at the beginning of a and b. If those are
// equal, a version with a suffix such as -beta or rc1 comes before one without.
func CompareVersions(a, b string) int {
	for IsVersion(a) || IsVersion(b) {
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

// cutNumber cuts a number and the dot after it off the beginning of s. It returns 0 if s
// begins with no number.
func cutNumber(s string) (number int, rest string) {
	if !IsVersion(s) {
		return 0, s
	}
	rest = strings.TrimLeft(s, "0123456789")
	number, _ = strconv.Atoi(s[:len(s)-len(rest)]) // the greatest int if the number is too large
	return number, strings.TrimPrefix(rest, ".")
}
