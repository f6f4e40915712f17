// Package forwarded finds the client whose request a trusted proxy has forwarded.
package forwarded

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/davd/davd/dav"
)

// Handler sets the RemoteAddr of a request from a trusted proxy to the address of the
// client, with port 0, before it calls Next. Then Next logs and limits the client and not
// the proxy. If the proxy does not name the client, the request is unchanged.
type Handler struct {
	Next    http.Handler
	Trusted dav.TrustedProxies
}

type remoteKey struct{}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if client, _ := h.Trusted.Client(r); client.IsValid() {
		remote := r.RemoteAddr
		r = r.WithContext(context.WithValue(r.Context(), remoteKey{}, remote))
		r.RemoteAddr = net.JoinHostPort(client.String(), "0")
	}
	h.Next.ServeHTTP(w, r)
}

// Network returns the address in the RemoteAddr of a request, or the /64 of an IPv6 address,
// which belongs to one customer. It returns the zero Addr for a client at a Unix socket.
func Network(remote string) netip.Addr {
	client, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return NetworkOf(client.Addr())
}

// NetworkOf returns addr, or the first address of its /64 if it is an IPv6 address.
func NetworkOf(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if addr.Is6() && !addr.IsLoopback() {
		prefix, _ := addr.Prefix(64) // without the zone; 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	return addr
}

// Undo restores the RemoteAddr of the connection before it calls next. A dav.Handler needs
// it, because it decides itself whether to trust the proxy.
func Undo(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if remote, ok := r.Context().Value(remoteKey{}).(string); ok {
			r = r.WithContext(r.Context()) // a copy
			r.RemoteAddr = remote
		}
		next.ServeHTTP(w, r)
	})
}
