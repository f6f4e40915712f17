package config

import (
	"cmp"
	"net"
	"net/netip"

	"github.com/davd/davd/cmd/davd/internal/hosts"
)

// checkTogether checks settings that depend on each other, and fills in the values that follow
// from others.
func (c *Config) checkTogether() error {
	timeouts := c.Handler.LockTimeouts
	switch {
	case c.Storage == Mem && c.Dir != "":
		return c.wrongf("storage", "mem serves no directory: leave out %s, or serve it with --storage dir", c.Dir)
	case c.Storage == Mem && c.State != (State{}) && !c.State.Memory:
		return c.wrongf("state", "the tree of --storage mem is lost when davd exits, so its locks and properties can't be kept: leave this out, or write mem")
	case timeouts.Max >= 0 && timeouts.Min > timeouts.Max:
		return c.wrongf("lock-timeout-min", "%v is more than --lock-timeout-max %v: write a shorter time", timeouts.Min, timeouts.Max)
	case c.Anonymous && c.HTPasswd != "":
		return c.wrongf("anonymous", "contradicts --htpasswd %s, which only lets in users: leave out one of the two", c.HTPasswd)
	case len(c.Admins) > 0 && c.HTPasswd == "":
		return c.wrongf("admin", "%s has no effect without users: name a file of users with --htpasswd FILE", c.Admins[0])
	case c.TLSCert == "" && c.TLSKey != "":
		return c.wrongf("tls-cert", "missing, but --tls-key is set: name the file of the certificate as well")
	case c.TLSCert != "" && c.TLSKey == "":
		return c.wrongf("tls-cert", "the key is missing: name its file with --tls-key")
	}
	if c.Storage == Mem {
		c.State = State{Memory: true}
	} else {
		c.Dir = cmp.Or(c.Dir, ".")
	}
	limits := &c.Handler.Limits
	limits.OperationsOf = cmp.Or(limits.OperationsOf, max(limits.Operations/4, 1))
	limits.LocksOf = cmp.Or(limits.LocksOf, max(c.Locks.MaxPerPrincipal/4, 1))
	c.Hosts = append(c.Hosts, hostsOf(c.Addrs)...)
	return nil
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
