// Package hosts protects a server without users from DNS rebinding.
//
// The owner of evil.example can make that name resolve to an address in the victim's
// network, or to the victim's own machine. For a browser, a server there then belongs
// to the site evil.example, so its pages may read and change everything on that server.
// The browser sends the name that it has looked up in the Host header. Therefore a server
// is safe if it only answers to names that a stranger can't make resolve to it.
package hosts

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/davd/davd/dav"
)

// Handler passes requests to Next if their host is an IP address, localhost or a name below
// it (RFC 6761 §6.3), one of Names, or missing, as in HTTP/1.0. It answers all others with
// 421 (RFC 9110 §15.5.20). Requests at a Unix socket may have any host, because browsers
// can't send any there.
type Handler struct {
	Next http.Handler
	// Names are additional names of the server, as returned by [Canonical].
	Names []string
	// Trusted are the proxies in front. The host that a trusted proxy forwards is checked
	// in addition to Host, so that a page can't get around the check by sending
	// X-Forwarded-Host itself.
	Trusted dav.TrustedProxies
	// Refused, if not nil, is called with the reason for a 421.
	Refused func(*http.Request, error)
}

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

// misdirected returns an error that tells the operator what to do. The error contains host
// only if it is a valid name.
func misdirected(host string) error {
	name, err := Canonical(host)
	if err != nil {
		name = "NAME"
	}
	return fmt.Errorf("this server asks for no password, so it only accepts requests for localhost, IP addresses and the names given by --host; to accept this name, start it with --host %s", name)
}

// serves reports whether host is a name of this server. Names have no case (RFC 4343).
func (h *Handler) serves(host string) bool {
	host = strings.ToLower(host)
	label, below := strings.CutSuffix(host, ".localhost")
	if host == "localhost" || below && label != "" || slices.Contains(h.Names, host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// bare returns a host without its port, without the brackets of an IPv6 address, and
// without the dot that ends an absolute name.
func bare(host string) string {
	if !strings.Contains(host, ":") {
		return strings.TrimSuffix(host, ".")
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	return strings.TrimSuffix(host, ".")
}

// Canonical returns a host name in lower case and without a dot at its end. The error for
// an invalid name says what is wrong with it.
func Canonical(name string) (string, error) {
	plain := strings.ToLower(strings.TrimSuffix(name, "."))
	for _, c := range plain {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		case c >= 0x80:
			return "", fmt.Errorf("%q contains characters that are not ASCII: write the name as browsers send it, with xn--", name)
		default:
			return "", fmt.Errorf("%q is not a host name: write it without scheme, port and path, as in files.example", name)
		}
	}
	if plain == "" || len(plain) > 253 { // RFC 1035 §2.3.4
		return "", errors.New("it must have 1 to 253 characters: write a host name such as files.example")
	}
	return plain, nil
}
