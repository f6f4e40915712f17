package dav

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
)

// TrustedProxies are the networks of the proxies in front whose word for their
// clients counts: the headers X-Forwarded-…. When there are any, the other end of
// a Unix socket counts as one too, because only processes of this machine reach
// it.
type TrustedProxies []netip.Prefix

// Sent reports whether r came from one of them, by the address of its connection.
func (t TrustedProxies) Sent(r *http.Request) bool {
	if len(t) == 0 {
		return false
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return true
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && t.Contain(remote.Addr())
}

// Contain reports whether addr is that of one of them.
func (t TrustedProxies) Contain(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(t, func(network netip.Prefix) bool { return network.Contains(addr) })
}
