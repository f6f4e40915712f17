package davxml

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AsText escapes the reference in dst[start:] as XML text.
func AsText(dst []byte, start int) []byte {
	if bytes.IndexByte(dst[start:], '&') < 0 {
		return dst
	}
	return AppendText(dst[:start], string(dst[start:]))
}

// AppendText appends s as XML text, which may also be the value of an attribute. Invalid
// UTF-8 and characters that XML 1.0 does not allow become U+FFFD.
func AppendText(dst []byte, s string) []byte {
	for len(s) > 0 {
		plain := 0
		for plain < len(s) && s[plain] < utf8.RuneSelf && plainText[s[plain]] {
			plain++
		}
		dst = append(dst, s[:plain]...)
		if s = s[plain:]; s == "" {
			return dst
		}
		c, size := utf8.DecodeRuneInString(s)
		dst = appendRune(dst, c)
		s = s[size:]
	}
	return dst
}

// appendElement appends an element of the namespace DAV: that contains only text.
func appendElement(dst []byte, name, text string) []byte {
	dst = append(dst, "<D:"+name+">"...)
	return append(AppendText(dst, text), "</D:"+name+">"...)
}

// appendAttribute appends an attribute with the space in front of it.
func appendAttribute(dst []byte, name, value string) []byte {
	dst = append(dst, " "+name+`="`...)
	return append(AppendText(dst, value), '"')
}

// plainText are the ASCII characters that need no escaping.
var plainText = func() (plain [utf8.RuneSelf]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		plain[c] = strings.IndexByte(`&<>"`, c) < 0
	}
	return plain
}()

func appendRune(dst []byte, c rune) []byte {
	switch {
	case c == '&':
		return append(dst, "&amp;"...)
	case c == '<':
		return append(dst, "&lt;"...)
	case c == '>':
		return append(dst, "&gt;"...)
	case c == '"':
		return append(dst, "&#34;"...)
	case c == '\t' || c == '\n' || c == '\r':
		dst = append(dst, "&#"...)
		dst = strconv.AppendInt(dst, int64(c), 10)
		return append(dst, ';')
	case c < ' ' || c == 0xFFFE || c == 0xFFFF:
		c = utf8.RuneError
	}
	return utf8.AppendRune(dst, c)
}
