// Package forwarded finds out whose request a trusted proxy has sent.
package forwarded

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

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
	if client, ok := h.client(r); ok {
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

// client returns the address of the client of a trusted proxy: in X-Forwarded-For
// the last that is not a proxy's itself, since what stands before it anyone may
// have written. Only that header counts: a proxy that sets one of Forwarded and
// X-Real-IP passes on what a client has written into the others.
func (h *Handler) client(r *http.Request) (client netip.Addr, ok bool) {
	if !h.Trusted.Sent(r) {
		return netip.Addr{}, false
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := parseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // nobody knows what is before it
		}
		client, ok = addr, true
		if !h.Trusted.Contain(addr) {
			break
		}
	}
	return client, ok
}

// parseAddr reads an address, with a port as some proxies write it or without.
func parseAddr(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap(), err
}
