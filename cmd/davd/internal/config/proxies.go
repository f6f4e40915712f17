package config

import (
	"fmt"
	"net/netip"

	"github.com/davd/davd/dav"
)

func parseInterimProxy(s string) (dav.InterimProxy, error) {
	proxy, err := dav.ParseInterimProxy(s)
	if err != nil {
		_, err = oneOf(dav.ProxyNone.String(), dav.ProxyPass.String(), dav.ProxyApache.String())(s)
	}
	return proxy, err
}

// parseNetworks parses addresses and networks in CIDR notation (RFC 4632 §3.1).
func parseNetworks(texts []string) (dav.TrustedProxies, error) {
	var networks dav.TrustedProxies
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			networks = append(networks, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network: write 192.0.2.7 or 10.0.0.0/8, for example", text)
		}
		if network != network.Masked() {
			return nil, fmt.Errorf("%q is an address within a network: write %s for the address, or %s for the network", text, network.Addr(), network.Masked())
		}
		networks = append(networks, network)
	}
	return networks, nil
}
