package client

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Shown returns a name that is safe to show on a terminal. Characters that are not printable,
// and could move the cursor, are escaped as in a URL.
func Shown(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		c, size := utf8.DecodeRuneInString(name[i:])
		if (c == utf8.RuneError && size == 1) || !unicode.IsPrint(c) {
			for _, raw := range []byte(name[i : i+size]) {
				b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(raw)|0x100, 16)[1:]))
			}
		} else {
			b.WriteRune(c)
		}
		i += size
	}
	return b.String()
}

// shownPath is Shown for an escaped path.
func shownPath(escaped string) string {
	if plain, err := url.PathUnescape(escaped); err == nil {
		return Shown(plain)
	}
	return Shown(escaped)
}

// shownHref is Shown for the path of a URL reference.
func shownHref(href string) string {
	if u, err := url.Parse(href); err == nil {
		return Shown(u.Path)
	}
	return Shown(href)
}

// statusText returns a status with its text, such as "423 Locked".
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
