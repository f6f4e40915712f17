package dav

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// origin returns the scheme and host (with an optional port) by which the client knows
// this server. They come from a trusted proxy if it names them, otherwise from the
// request itself.
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

// absoluteURL returns a function that returns the URL of a resource as r's client
// would write it.
func (h *Handler) absoluteURL(r *http.Request) func(name string) string {
	return func(name string) string {
		scheme, host := h.origin(r)
		return scheme + "://" + host + h.href(name, false)
	}
}

// servesHost reports whether u's host is this server, under the name that the client
// or the proxy in front uses. Without TrustedProxies it believes the header
// X-Forwarded-Host of any client. It ignores the scheme, because some clients and
// proxies write http for https.
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

// hostPort returns host in lower case and with its port. If it has none, it gets the
// default port (RFC 3986 §6.2.3).
func hostPort(host, port string) string {
	host = strings.ToLower(host)
	if h, p, err := net.SplitHostPort(host); err == nil {
		return net.JoinHostPort(h, cmp.Or(p, port))
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
