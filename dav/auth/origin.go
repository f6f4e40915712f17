package auth

import (
	"net/netip"

	clients "github.com/davd/davd/dav/internal/origin"
)

// origin identifies attempts whose failures are counted together: those for one name from
// one address, or from the /64 of an IPv6 address, which belongs to one customer. It
// contains the name because all users may come from the address of a proxy. It contains the
// address because a stranger who guesses a user's password must not lock that user out.
type origin struct {
	addr netip.Addr // the zero Addr for this machine
	name digest
}

// originOf returns the origin of an attempt from remote, for a name with this digest.
func originOf(remote string, name digest) origin {
	var addr netip.Addr
	if client, err := netip.ParseAddrPort(remote); err == nil {
		addr = clients.Network(client.Addr())
	}
	if addr.IsLoopback() {
		addr = netip.Addr{}
	}
	return origin{addr: addr, name: name}
}
