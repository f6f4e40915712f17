package dav

import (
	"net/http"
	"net/netip"
	"strings"
)

// severalClients begins the key of an address from which several clients may come.
const severalClients = "several "

// severalShare is the part of all that such an address may have, in quarters: what is
// left serves clients from elsewhere.
const severalShare = 3

// client returns the key under which the limits of one client count what r takes: its
// principal or, without a name, its address, as far as TrustedProxies tell; of an IPv6
// address the network of 64 bits that one client can have. Behind a proxy that nobody has
// declared all clients have the same address. It is most often that of this machine or
// a Unix socket, so that address has a larger share.
func (h *Handler) client(r *http.Request) string {
	if name := h.principal(r); name != "" {
		return "user " + statePrefix(r.Context()) + "/" + name
	}
	addr, _ := h.TrustedProxies.Client(r)
	several := !addr.IsValid()
	if several {
		remote, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return severalClients + "local"
		}
		addr = remote.Addr()
		several = h.TrustedProxies.Sent(r) // the proxy doesn't say for whom
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() && !addr.IsLoopback() {
		prefix, _ := addr.Prefix(64) // 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	if several || addr.IsLoopback() {
		return severalClients + addr.String()
	}
	return addr.String()
}

// anonymous is client of a request without a principal, "" of one that has one.
func (h *Handler) anonymous(r *http.Request) string {
	if h.principal(r) != "" {
		return ""
	}
	return h.client(r)
}

// shareOf returns how much client may have where one client may have mostOf.
func shareOf(client string, mostOf int) int {
	if strings.HasPrefix(client, severalClients) {
		return severalShare * mostOf
	}
	return mostOf
}

// shareOfAll is shareOf where all together may have most: something is left for clients
// from elsewhere.
func shareOfAll(client string, most, mostOf int) int {
	return max(min(shareOf(client, mostOf), most-most/oneClient), mostOf)
}
