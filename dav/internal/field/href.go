package field

// AppendHref appends the URL path of name below prefix. It percent-encodes each
// character that is not safe in a path segment, a header or XML text, except "&".
func AppendHref(dst []byte, prefix, name string, collection bool) []byte {
	dst = AppendEscaped(dst, prefix)
	dst = AppendEscaped(dst, name)
	if collection && name != "/" {
		dst = append(dst, '/')
	}
	return dst
}

// AppendEscaped appends s, percent-encoded like AppendHref.
func AppendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c < 0x80 && hrefSafe[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// hrefSafe are the characters that AppendHref does not encode: the unreserved ones
// of RFC 3986, the slash, and the harmless ones of pchar. "&" is among them, as in
// x/net and other servers, so XML needs it escaped.
var hrefSafe = func() (safe [0x80]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&()*+,:=@" {
		safe[c] = true
	}
	return safe
}()
