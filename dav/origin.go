package dav

import (
	"net/http"

	"github.com/davd/davd/dav/internal/origin"
)

// TrustedProxies are the networks of the proxies whose headers X-Forwarded-… and
// Forwarded the server believes. If there are any, the server also trusts clients on a
// Unix socket, because only processes on this machine can reach it.
type TrustedProxies = origin.Proxies

// self is the server as its clients know it.
func (h *Handler) self() origin.Server {
	return origin.Server{Proxies: h.TrustedProxies, AllowOrigin: h.AllowOrigin}
}

// absoluteURL returns a function that returns the URL of a resource as r's client
// would write it.
func (h *Handler) absoluteURL(r *http.Request) func(name string) string {
	return func(name string) string {
		return h.self().URL(r) + h.href(r.Context(), h.shown(r.Context(), name), false)
	}
}
