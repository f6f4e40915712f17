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

func originOf(remote, name string) origin {
	from := origin{name: newDigest("", name, "")}
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
