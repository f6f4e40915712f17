package origin

import (
	"net/http"
	"net/netip"

	"github.com/davd/davd/dav/internal/limit"
)

// ClientKey returns the key of r's client for the limits of one client: the address that
// the trusted proxies report, or that of the connection. For IPv6 it is the network of 64
// bits, because one client can have all its addresses.
//
// All clients behind an undeclared proxy have the same address, usually that of this
// machine or a Unix socket. So such an address gets a larger share.
func (t Proxies) ClientKey(r *http.Request) string {
	addr, _ := t.Client(r)
	several := !addr.IsValid()
	if several {
		remote, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return limit.SeveralClients + "local"
		}
		addr = remote.Addr()
		several = t.Sent(r) // the proxy doesn't report the client
	}
	addr = Network(addr)
	if several || addr.IsLoopback() {
		return limit.SeveralClients + addr.String()
	}
	return addr.String()
}

// Network returns addr, or the first address of its network of 64 bits if it is an IPv6
// address.
func Network(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() && !addr.IsLoopback() {
		prefix, _ := addr.Prefix(64) // 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	return addr
}
