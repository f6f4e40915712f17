package dav

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// origin returns the scheme and the host, with its port if it has one, by which r's
// client knows this server: what a trusted proxy tells, or else those of the
// connection.
func (h *Handler) origin(r *http.Request) (scheme, host string) {
	scheme, host = h.TrustedProxies.origin(r)
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme, cmp.Or(host, r.Host)
}

// absoluteURL returns how r's client would name the resource name.
func (h *Handler) absoluteURL(r *http.Request) func(name string) string {
	return func(name string) string {
		scheme, host := h.origin(r)
		return scheme + "://" + host + h.href(name, false)
	}
}

// servesHost reports whether u's host is this server's, as the client or the
// proxy in front knows it. By default the client's word for it is enough. The scheme
// may be either: not every client, and not every proxy, says https of what is.
func (h *Handler) servesHost(r *http.Request, u *url.URL) bool {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		return false
	}
	hosts := []string{r.Host}
	if len(h.TrustedProxies) == 0 {
		hosts = append(hosts, splitLists(r.Header["X-Forwarded-Host"])...)
	} else {
		_, host := h.origin(r)
		hosts = append(hosts, host)
	}
	wanted := hostPort(u.Host, port)
	for _, host := range hosts {
		if hostPort(host, port) == wanted {
			return true
		}
	}
	return false
}

// hostPort returns host in lower case and with its port, or else with port
// (RFC 3986 §6.2.3).
func hostPort(host, port string) string {
	host = strings.ToLower(host)
	if h, p, err := net.SplitHostPort(host); err == nil {
		return net.JoinHostPort(h, cmp.Or(p, port))
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
