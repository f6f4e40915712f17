package dav

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/davd/davd/dav/internal/status"
)

// errCrossOrigin refuses a change that a page of another site requests.
var errCrossOrigin = &status.Error{
	Status: http.StatusForbidden,
	Reason: "the request was sent by a page of another site, which may not change anything here",
}

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
