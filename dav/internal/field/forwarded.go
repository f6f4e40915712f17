package field

import (
	"net/netip"
	"strconv"
	"strings"
)

// ParseForwarded reads an element of the header Forwarded (RFC 7239 §4). It returns the
// parameters, with their names in lower case. It accepts what some proxies write: a
// value with a colon without quotes, and a space next to a semicolon. For anything else
// that is malformed, ok is false, because a client may have written a part of it.
func ParseForwarded(element string) (parameters map[string]string, ok bool) {
	parameters = make(map[string]string, 4)
	for rest := strings.TrimLeft(element, "; \t"); rest != ""; rest = strings.TrimLeft(rest, "; \t") {
		name, after, found := strings.Cut(rest, "=")
		value, after, ended := cutForwarded(after)
		name = strings.ToLower(name)
		if _, twice := parameters[name]; !found || !ended || twice || !IsToken(name) {
			return nil, false
		}
		parameters[name], rest = value, after
	}
	return parameters, true
}

// cutForwarded cuts a value, which is a token or a quoted string (RFC 9110 §5.6.4), off
// the parameters that follow it. ok is false if anything else follows the value.
func cutForwarded(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		value = strings.TrimRight(value, " \t")
		return value, rest, value != "" && !strings.ContainsAny(value, "\"= \t")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			rest = strings.TrimLeft(s[i+1:], " \t")
			return b.String(), rest, rest == "" || rest[0] == ';'
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// ParseNode reads an address with or without a port (RFC 7239 §6). It returns an error
// for one that is unknown or obfuscated.
func ParseNode(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap(), err
}

// ForwardedScheme returns s in lower case if it is a scheme that this server can have
// (RFC 7239 §5.4), and "" otherwise.
func ForwardedScheme(s string) string {
	switch scheme := strings.ToLower(s); scheme {
	case "http", "https":
		return scheme
	}
	return ""
}

// maxHostName is the maximum length of a name in the DNS (RFC 1035 §2.3.4), written
// with dots.
const maxHostName = 253

// ForwardedHost returns s if it is valid in the header Host (RFC 7239 §5.3, RFC 9110
// §7.2), and "" otherwise. Valid are an ASCII name, an IPv4 address, or an IPv6 address
// in brackets, with or without a port.
func ForwardedHost(s string) string {
	name := s
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, ']') {
		name = s[:colon]
		if port, err := strconv.ParseUint(s[colon+1:], 10, 16); err != nil || port == 0 {
			return ""
		}
	}
	if inner, found := strings.CutPrefix(name, "["); found {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || !strings.HasSuffix(inner, "]") {
			return ""
		}
		return s
	}
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
	if name == "" || len(name) > maxHostName || strings.Trim(name, characters) != "" {
		return ""
	}
	return s
}
