package config

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// Lookup finds the addresses of a host name, as net.Resolver's LookupNetIP does.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// CheckAccess refuses to listen where other machines may reach davd, unless the
// users are named, or the person says that anyone may come. A host name counts
// with all of its addresses; one that can't be found is not an error here but
// when it is listened at.
func (c *Config) CheckAccess(ctx context.Context, lookup Lookup) error {
	if c.Guarded() {
		return nil
	}
	for _, addr := range c.Addrs {
		if addr.public(ctx, lookup) {
			return &Error{Setting: "addr", Err: c.Unguarded(addr.String())}
		}
	}
	return nil
}

// Guarded reports whether it is settled who may do something: users, or anyone.
func (c *Config) Guarded() bool { return c.HTPasswd != "" || c.Anonymous }

// Unguarded says why davd does not listen at addr.
func (c *Config) Unguarded(addr string) error {
	return fmt.Errorf("others can reach %s, and nobody is asked for a password: name the users with --htpasswd FILE, or write --anonymous, and anyone may %s", addr, c.Allowed())
}

// Allowed is what whoever is let in may do.
func (c *Config) Allowed() string {
	if c.ReadOnly {
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
