package config

import (
	"cmp"
	"net"
	"net/netip"

	"github.com/davd/davd/cmd/davd/internal/hosts"
)

// checkTogether checks settings that depend on each other, and fills in values with derive.
func (c *Config) checkTogether() error {
	if err := c.checkUpstream(); err != nil {
		return err
	}
	if err := c.checkShared(); err != nil {
		return err
	}
	timeouts := c.Handler.LockTimeouts
	switch {
	case c.Storage.Kind != Dir && c.Dir != "":
		return c.wrongf("storage", "%s serves no directory: leave out %s, or serve it with --storage dir", c.Storage, c.Dir)
	case c.Storage.Kind == Mem && c.State != (State{}) && !c.State.Memory:
		return c.wrongf("state", "the tree of --storage mem is lost when davd exits, so its locks and properties can't be kept: leave this out, or write mem")
	case timeouts.Max >= 0 && timeouts.Min > timeouts.Max:
		return c.wrongf("lock-timeout-min", "%v is more than --lock-timeout-max %v: write a shorter time", timeouts.Min, timeouts.Max)
	case c.Anonymous && len(c.HTPasswd) > 0:
		return c.wrongf("anonymous", "contradicts --htpasswd %s, which only lets in users: leave out one of the two", c.HTPasswd[0])
	case c.Anonymous && c.Asks():
		return c.wrongf("anonymous", "contradicts the users in %s: leave it out, and give rights to anyone", c.File)
	case len(c.Admins) > 0 && !c.Asks():
		return c.wrongf("admin", "%s has no effect without users: name a file of users with --htpasswd FILE", c.Admins[0])
	case c.unknownAdmin() != "":
		return c.wrongf("admin", "no user is called %s: name one of the users", c.unknownAdmin())
	case c.Metrics.Pprof && c.Metrics.Addr == (Addr{}):
		return c.wrongf("pprof", "has no effect without --metrics-addr: set that too")
	}
	if c.Network.Origins.Any() && !c.Asks() && !c.proxy {
		return c.wrongf("cors-origin", "* lets the pages of every site read and write everything, because davd asks for no password: write the origins that you use")
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if err := c.checkState(); err != nil {
		return err
	}
	c.derive()
	return nil
}

// derive fills in the values that follow from others. The settings must have been read just now.
func (c *Config) derive() {
	if c.Storage.Kind == Mem {
		c.State = State{Memory: true}
	} else if c.File == "" && c.Storage.Kind == Dir {
		c.Dir = cmp.Or(c.Dir, ".")
	}
	limits := &c.Handler.Limits
	limits.OperationsOf = cmp.Or(limits.OperationsOf, max(limits.Operations/4, 1))
	limits.LocksOf = cmp.Or(limits.LocksOf, max(c.Locks.MaxPerPrincipal/4, 1))
	c.Network.Connections.Of = cmp.Or(c.Network.Connections.Of, max(c.Network.Connections.All/4, 1))
	c.Hosts = append(append(c.Hosts, hostsOf(c.Addrs)...), c.Network.ACME.Domains...)
}

// unknownAdmin returns an administrator who is not among the users, or "".
func (c *Config) unknownAdmin() string {
	if len(c.Admins) == 0 {
		return ""
	}
	known := c.accounts()
	for _, name := range c.Admins {
		if known.user(name) != nil {
			return name
		}
	}
	return ""
}

// checkShared checks what a command line and a file say about the files to serve.
func (c *Config) checkShared() error {
	switch {
	case c.proxy:
		return nil
	case len(c.Shares) > 0 && c.Dir != "":
		return c.wrongf("config", "%s has shares: leave out %s", c.File, c.Dir)
	case len(c.Shares) > 0 && c.Storage.Kind != Dir:
		return c.wrongf("storage", "%s contradicts the shares in %s: leave it out", c.Storage, c.File)
	}
	return nil
}

// CheckContent returns an error if c names nothing to serve. Without a configuration file, that
// is the current directory.
func (c *Config) CheckContent() error {
	if len(c.Shares) == 0 && c.Dir == "" && c.Storage.Kind == Dir {
		return c.wrongf("config", "%s has no shares: add one, or name a directory to serve", c.File)
	}
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
