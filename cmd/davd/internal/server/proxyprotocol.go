package server

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/pires/go-proxyproto"
)

// behindProxies returns a listener whose connections from s.ProxyProtocol have the addresses that the
// proxy names in its header (PROXY protocol, versions 1 and 2). Such a connection without a header is
// closed. No other client can name an address: there, the header is no valid request.
func (s *Server) behindProxies(l net.Listener) net.Listener {
	if len(s.ProxyProtocol) == 0 {
		return l
	}
	return &proxyproto.Listener{
		Listener:          l,
		ConnPolicy:        s.policy,
		ValidateHeader:    refuseUnix,
		ReadHeaderTimeout: cmp.Or(s.HeaderTimeout, readHeaderTimeout),
	}
}

func (s *Server) policy(options proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
	upstream, ok := options.Upstream.(*net.TCPAddr)
	if !ok {
		return proxyproto.SKIP, nil
	}
	addr := upstream.AddrPort().Addr().Unmap().WithZone("")
	if slices.ContainsFunc(s.ProxyProtocol, func(network netip.Prefix) bool { return network.Contains(addr) }) {
		return proxyproto.REQUIRE, nil
	}
	return proxyproto.SKIP, nil
}

var errUnix = errors.New("the PROXY header names a Unix socket")

// refuseUnix refuses the address of a Unix socket: clients there count as processes of this machine.
func refuseUnix(header *proxyproto.Header) error {
	if header.TransportProtocol.IsUnix() {
		return errUnix
	}
	return nil
}
