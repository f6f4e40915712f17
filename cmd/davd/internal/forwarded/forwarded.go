// Package forwarded finds out whose request a trusted proxy has sent.
package forwarded

import (
	"context"
	"net"
	"net/http"

	"github.com/davd/davd/dav"
)

// Handler gives Next a request that a trusted proxy has sent with the RemoteAddr
// of its client, as far as the proxy knows it: an address with port 0. What Next
// logs, and whose failures it counts, is then the client.
type Handler struct {
	Next    http.Handler
	Trusted dav.TrustedProxies
}

// remoteKey is the context's key of the RemoteAddr of the connection.
type remoteKey struct{}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if client, _ := h.Trusted.Client(r); client.IsValid() {
		remote := r.RemoteAddr
		r = r.WithContext(context.WithValue(r.Context(), remoteKey{}, remote))
		r.RemoteAddr = net.JoinHostPort(client.String(), "0")
	}
	h.Next.ServeHTTP(w, r)
}

// Undo gives next each request with the RemoteAddr of its connection again: a
// dav.Handler decides by it whom it trusts itself.
func Undo(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if remote, ok := r.Context().Value(remoteKey{}).(string); ok {
			r = r.WithContext(r.Context()) // a copy
			r.RemoteAddr = remote
		}
		next.ServeHTTP(w, r)
	})
}
