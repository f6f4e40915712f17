package config

import (
	"net"
	"net/netip"

	"github.com/davd/davd/cmd/davd/internal/hosts"
)

// parseHosts returns the canonical form of host names.
func parseHosts(texts []string) ([]string, error) {
	var names []string
	for _, text := range texts {
		name, err := hosts.Canonical(text)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// hostsOf returns the host names in the addresses to listen at: an operator who writes
// --addr nas.example:80 wants clients to use that name.
func hostsOf(addrs []Addr) []string {
	var names []string
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(addr.Address)
		if err != nil || addr.Network != "tcp" {
			continue
		}
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		if name, err := hosts.Canonical(host); err == nil {
			names = append(names, name)
		}
	}
	return names
}
