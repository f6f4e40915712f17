package field

import "strings"

// IsEntityTag reports whether tag is an entity tag (RFC 9110 §8.8.3).
func IsEntityTag(tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return false
	}
	return !strings.ContainsFunc(tag[1:len(tag)-1], func(c rune) bool { return c <= ' ' || c == '"' || c == 0x7f })
}

// Matches reports whether one of the entity tags in values matches tag, which is "" if
// the resource does not exist. "*" matches any tag (RFC 9110 §13.1.1, §13.1.2).
func Matches(values []string, tag string, match func(a, b string) bool) bool {
	if tag == "" {
		return false
	}
	for element := range Elements(values) {
		if element == "*" || match(element, tag) {
			return true
		}
	}
	return false
}

// StrongMatch is the strong comparison (RFC 9110 §8.8.3.2): a weak tag matches nothing.
func StrongMatch(a, b string) bool { return a == b && !strings.HasPrefix(a, "W/") }

// WeakMatch is the weak comparison (RFC 9110 §8.8.3.2).
func WeakMatch(a, b string) bool {
	return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}
