package dav

import (
	"net/netip"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/tenant"
)

// client returns the key that identifies r's client for the limits of one client. It is
// the principal or, if that is unknown, the address that TrustedProxies report, or that
// of the connection. For IPv6 it is the network of 64 bits, because one client can have
// all its addresses.
//
// All clients behind an undeclared proxy have the same address, usually that of this
// machine or a Unix socket. So such an address gets a larger share.
func (h *Handler) client(r *request) string {
	if name := r.principal(); name != "" {
		return "user " + tenant.Prefix(r.Context()) + "/" + name
	}
	addr, _ := h.TrustedProxies.Client(r.Request)
	several := !addr.IsValid()
	if several {
		remote, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return limit.SeveralClients + "local"
		}
		addr = remote.Addr()
		several = h.TrustedProxies.Sent(r.Request) // the proxy doesn't report the client
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() && !addr.IsLoopback() {
		prefix, _ := addr.Prefix(64) // 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	if several || addr.IsLoopback() {
		return limit.SeveralClients + addr.String()
	}
	return addr.String()
}

// anonymous returns client(r) if r has no principal, and "" otherwise.
func (h *Handler) anonymous(r *request) string {
	if r.principal() != "" {
		return ""
	}
	return h.client(r)
}
