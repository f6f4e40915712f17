package dav

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/status"
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
	return slices.ContainsFunc(hosts, func(host string) bool { return hostPort(host, port) == wanted })
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

var errCrossOrigin = status.New(http.StatusForbidden, "the request was sent by a page of another site, which may not change anything here")

// checkCrossOrigin refuses a change that a page of another site requests. Such a page
// can abuse the password that the browser remembers for this server, or a server
// without passwords that only the browser can reach, behind a firewall.
//
// Requests that only read are allowed, because the browser doesn't show the page their
// answers. Expensive ones, such as PROPFIND, need a preflight, which fails.
// http.CrossOriginProtection has the same rules with two exceptions: it treats PROPFIND
// as a change, and knows no name of the server except Host.
func (h *Handler) checkCrossOrigin(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND":
		return nil
	}
	site, origins := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	if len(site) == 0 && len(origins) == 0 {
		return nil // not a browser
	}
	if h.sentBySelf(r, site, origins) {
		return nil
	}
	if h.AllowOrigin != nil && len(origins) == 1 && h.AllowOrigin(origins[0]) {
		return nil
	}
	return errCrossOrigin
}

// sentBySelf reports whether r was sent by a page of this server, or by a person who
// typed the address. If the browser sends Sec-Fetch-Site, that decides, because pages
// can't set it. Browsers don't send it over HTTP to another machine; then Origin must
// name this server.
func (h *Handler) sentBySelf(r *http.Request, site, origins []string) bool {
	if len(site) > 0 {
		return len(site) == 1 && (site[0] == "same-origin" || site[0] == "none")
	}
	if len(origins) != 1 {
		return false
	}
	origin, err := url.Parse(origins[0])
	return err == nil && origin.Host != "" && strings.HasPrefix(origin.Scheme, "http") && h.servesHost(r, origin)
}
