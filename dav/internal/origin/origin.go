// Package origin tells which requests come from a server's own pages and clients: the name
// by which a client knows the server, and whether a URL is one of the server's.
package origin

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/davd/davd/dav/internal/status"
)

// Server says how a server knows itself.
type Server struct {
	// Proxies are the trusted ones.
	Proxies Proxies
	// AllowOrigin reports whether pages of a foreign origin may change something; nil means
	// that none may.
	AllowOrigin func(origin string) bool
}

// Of returns the scheme and host (with an optional port) by which the client knows
// this server. They come from a trusted proxy if it names them, otherwise from the
// request itself.
func (s Server) Of(r *http.Request) (scheme, host string) {
	scheme, host = s.Proxies.origin(r)
	if scheme == "" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme, cmp.Or(host, r.Host)
}

// URL returns the scheme and host as in a URL.
func (s Server) URL(r *http.Request) string {
	scheme, host := s.Of(r)
	return scheme + "://" + host
}

// Serves reports whether u's host is this server, under the name that the client
// or the proxy in front uses. Without Proxies it believes the header
// X-Forwarded-Host of any client. It ignores the scheme, because some clients and
// proxies write http for https.
func (s Server) Serves(r *http.Request, u *url.URL) bool {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		return false
	}
	hosts := []string{r.Host}
	if len(s.Proxies) == 0 {
		hosts = append(hosts, splitLists(r.Header["X-Forwarded-Host"])...)
	} else {
		_, host := s.Of(r)
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

// errCrossOrigin refuses a change that a page of another site requests.
var errCrossOrigin = &status.Error{
	Status: http.StatusForbidden,
	Reason: "the request was sent by a page of another site, which may not change anything here",
}

// CheckCross refuses a change that a page of another site requests. Such a page
// can abuse the password that the browser remembers for this server, or a server
// without passwords that only the browser can reach, behind a firewall.
//
// Requests that only read are allowed, because the browser doesn't show the page their
// answers. Expensive ones, such as PROPFIND, need a preflight, which fails.
// http.CrossOriginProtection has the same rules with two exceptions: it treats PROPFIND
// as a change, and knows no name of the server except Host.
func (s Server) CheckCross(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND":
		return nil
	}
	site, origins := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	if len(site) == 0 && len(origins) == 0 {
		return nil // not a browser
	}
	if s.sentBySelf(r, site, origins) {
		return nil
	}
	if s.AllowOrigin != nil && len(origins) == 1 && s.AllowOrigin(origins[0]) {
		return nil
	}
	return errCrossOrigin
}

// errNoOrigin is for a form that may come from another site.
var errNoOrigin = &status.Error{
	Status: http.StatusForbidden,
	Reason: "neither Sec-Fetch-Site nor Origin says which page sent the form; a client that is not a browser must use the methods of WebDAV",
}

// CheckForm makes sure that a page of this server sent the form r. Browsers name the page
// in at least one of two headers, whose values CheckCross has checked.
func CheckForm(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errNoOrigin
	}
	return nil
}

// sentBySelf reports whether r was sent by a page of this server, or by a person who
// typed the address. If the browser sends Sec-Fetch-Site, that decides, because pages
// can't set it. Browsers don't send it over HTTP to another machine; then Origin must
// name this server.
func (s Server) sentBySelf(r *http.Request, site, origins []string) bool {
	if len(site) > 0 {
		return len(site) == 1 && (site[0] == "same-origin" || site[0] == "none")
	}
	if len(origins) != 1 {
		return false
	}
	origin, err := url.Parse(origins[0])
	return err == nil && origin.Host != "" && strings.HasPrefix(origin.Scheme, "http") && s.Serves(r, origin)
}
