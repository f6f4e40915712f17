package auth

import "net/netip"

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
	from := origin{name: name}
	port, err := netip.ParseAddrPort(remote)
	addr := port.Addr().Unmap()
	if err != nil || addr.IsLoopback() {
		return from
	}
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // without the zone; 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	from.addr = addr
	return from
}
