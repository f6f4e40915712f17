package dav

import (
	"net/http"
	"net/url"
	"strings"
)

// errCrossOrigin is for a change that a page of another site asks for.
var errCrossOrigin = &statusError{
	status: http.StatusForbidden,
	reason: "the request was sent by a page of another site, which may not change anything here",
}

// checkCrossOrigin refuses a change that a page of another site asks for: the browser
// adds the password that it remembers for this server, and to a server without
// passwords it is on the inside of the firewall.
//
// Requests that only read pass. The browser doesn't show their answers to the page,
// and the ones that are costly, such as PROPFIND, need a preflight, which fails.
// http.CrossOriginProtection has the same rules except for two: it takes PROPFIND for
// a change, and knows no name of the server but Host.
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

// sentBySelf reports whether a page of this server has sent r, or a person who
// typed the address. Sec-Fetch-Site decides if the browser sends it, because pages can't
// set it. Without it, as over HTTP to another machine, Origin must name this server.
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
