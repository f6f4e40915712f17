package config

import (
	"context"
	"net"
	"net/netip"
)

// Lookup finds the addresses of a host name, as net.Resolver's LookupNetIP does.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// CheckAccess returns an error if other machines could reach an address of c and c is not
// Guarded. It checks all addresses of a host name. A host name that
// can't be resolved is not an error here: listening at it fails later.
func (c *Config) CheckAccess(ctx context.Context, lookup Lookup) error {
	if c.Guarded() {
		return nil
	}
	for _, addr := range c.Addrs {
		if addr.public(ctx, lookup) {
			return c.Unguarded(addr.String())
		}
	}
	return nil
}

// Guarded reports whether the operator has said who has access: only users, or everyone.
func (c *Config) Guarded() bool { return c.Asks() || c.Anonymous }

// Unguarded returns the error for an addr that is public while c is not Guarded.
func (c *Config) Unguarded(addr string) error {
	return c.wrongf("addr", "other machines can reach %s, and davd asks for no password: set --htpasswd FILE, or --anonymous to let anyone %s", addr, c.Allowed())
}

// Allowed returns what clients with access may do.
func (c *Config) Allowed() string {
	if c.Handler.ReadOnly {
		return "read"
	}
	return "read and write"
}

// public reports whether other machines may reach the address.
func (a Addr) public(ctx context.Context, lookup Lookup) bool {
	if a.Network != "tcp" {
		return false
	}
	host, _, err := net.SplitHostPort(a.Address)
	if err != nil || host == "" {
		return true
	}
	addrs := make([]netip.Addr, 1)
	if addrs[0], err = netip.ParseAddr(host); err != nil {
		addrs, _ = lookup(ctx, "ip", host)
	}
	for _, ip := range addrs {
		if !ip.IsLoopback() {
			return true
		}
	}
	return false
}
