package auth

import "net/netip"

// origin is whose failures are counted together: those of an address, or of the
// /64 of an IPv6 address, which is one customer. An address of this machine says
// nothing of who is behind it, because a proxy may be: there it is the name.
type origin struct {
	addr netip.Addr
	name digest
}

func originOf(remote, name string) origin {
	port, err := netip.ParseAddrPort(remote)
	addr := port.Addr().Unmap()
	if err != nil || addr.IsLoopback() {
		return origin{name: newDigest("", name, "")}
	}
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // without the zone; 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	return origin{addr: addr}
}
