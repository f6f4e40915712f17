// Package hosts protects a server without users from DNS rebinding.
//
// The owner of evil.example can let that name lead to an address of the victim's
// network, or to the victim's own machine. For a browser, a server there then belongs
// to the site evil.example, whose pages may read and change everything on it. The
// browser says in Host which name it has looked up, so a server is safe that answers
// only to names which no stranger can give to it.
package hosts

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/davd/davd/dav"
)

// Handler serves with Next what is addressed to an IP address, to localhost or a name
// below it (RFC 6761 §6.3), to one of Names, or to no host at all, as in HTTP/1.0. It
// answers 421 to all else (RFC 9110 §15.5.20). A Unix socket has any name: browsers
// can't reach it.
type Handler struct {
	Next http.Handler
	// Names are further names of the server, as [Canonical] returns them.
	Names []string
	// Trusted are the proxies in front. The host that one of them was asked for is
	// checked too, in addition to Host: a page can't get around the check by sending
	// X-Forwarded-Host itself.
	Trusted dav.TrustedProxies
	// Refused, if not nil, is called with the reason for a 421.
	Refused func(*http.Request, error)
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		h.Next.ServeHTTP(w, r)
		return
	}
	for _, host := range [...]string{r.Host, h.Trusted.Host(r)} {
		if host == "" || h.serves(bare(host)) {
			continue
		}
		err := misdirected(bare(host))
		if h.Refused != nil {
			h.Refused(r, err)
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.Error(w, "421 Misdirected Request: "+err.Error(), http.StatusMisdirectedRequest)
		return
	}
	h.Next.ServeHTTP(w, r)
}

// misdirected says what the operator can do. It repeats a name only if it is one.
func misdirected(host string) error {
	name, err := Canonical(host)
	if err != nil {
		name = "NAME"
	}
	return fmt.Errorf("this server asks for no password, so it answers only to localhost, to IP addresses and to the names of --host; if it should answer to this name, start it with --host %s", name)
}

func (h *Handler) serves(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || is(host, "localhost") {
		return true
	}
	if i := len(host) - len(".localhost"); i > 0 && is(host[i:], ".localhost") {
		return true
	}
	for _, name := range h.Names {
		if is(host, name) {
			return true
		}
	}
	return false
}

// is compares host names (RFC 4343).
func is(host, name string) bool { return strings.EqualFold(host, name) }

// bare returns a host without its port, without the brackets of an IPv6 address, and
// without the dot that ends an absolute name.
func bare(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	return strings.TrimSuffix(host, ".")
}

// Canonical returns a host name in lower case and without a dot at its end, or an
// error that says what is wrong with it.
func Canonical(name string) (string, error) {
	plain := strings.ToLower(strings.TrimSuffix(name, "."))
	for _, c := range plain {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		case c >= 0x80:
			return "", fmt.Errorf("%q has characters beyond ASCII: write the name as browsers send it, with xn--", name)
		default:
			return "", fmt.Errorf("%q is not a host name: write it without scheme, port and path, as in files.example", name)
		}
	}
	if plain == "" || len(plain) > 253 { // RFC 1035 §2.3.4
		return "", errors.New("it must have 1 to 253 characters: write a host name such as files.example")
	}
	return plain, nil
}
