package field

import (
	"errors"
	"net/url"
	"strings"
)

// ParseReference parses the Simple-ref (RFC 4918 §8.3) of a Destination or a
// Resource-Tag: an absolute URI or an absolute path. Its error is a predicate; the
// caller puts the name of the header in front.
//
// Some clients, such as LibreOffice, send names without escaping. Spaces, bytes beyond
// ASCII and "#" (a Simple-ref has no fragment) are unambiguous, so ParseReference
// accepts them. It refuses "?", which could begin a query, and an incomplete "%":
// a guess could name another resource than the client meant.
func ParseReference(ref string) (*url.URL, error) {
	if strings.Contains(ref, "?") {
		return nil, errors.New(`has a query; a "?" in a name must be sent as %3F`)
	}
	u, err := url.Parse(decodeHost(strings.ReplaceAll(ref, "#", "%23")))
	_, badEscape := errors.AsType[url.EscapeError](err)
	switch {
	case badEscape:
		return nil, errors.New(`contains a "%" without two hexadecimal digits after it; a "%" in a name must be sent as %25`)
	case err != nil, u.Opaque != "", u.Scheme != "" && u.Host == "",
		!strings.HasPrefix(u.Path, "/") && (u.Host == "" || u.Path != ""):
		return nil, errors.New("is neither an absolute URI nor an absolute path")
	}
	return u, nil
}

// decodeHost decodes a percent-encoded host in uri (RFC 3986 §3.2.2), which package url
// refuses. It leaves an invalid encoding as it is.
func decodeHost(uri string) string {
	scheme, rest, found := strings.Cut(uri, "://")
	host, path, _ := strings.Cut(rest, "/")
	if !found || !strings.Contains(host, "%") || strings.ContainsAny(host, "[@") {
		return uri
	}
	decoded, err := url.PathUnescape(host)
	if err != nil || strings.Trim(decoded, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:") != "" {
		return uri
	}
	return scheme + "://" + decoded + "/" + path
}
