package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/davd/davd/cmd/davd/internal/hosts"
)

// checkTogether checks settings that depend on each other, and fills in the values that follow
// from others.
func (c *Config) checkTogether() error {
	limits := &c.Handler.Limits
	limits.OperationsOf = cmp.Or(limits.OperationsOf, max(limits.Operations/4, 1))
	limits.LocksOf = cmp.Or(limits.LocksOf, max(c.Locks.MaxPerPrincipal/4, 1))
	c.Hosts = append(c.Hosts, hostsOf(c.Addrs)...)
	return cmp.Or(
		c.wrong("storage", c.checkDir()),
		c.wrong("state", c.checkState()),
		c.wrong("lock-timeout-min", c.checkLockTimeouts()),
		c.wrong("anonymous", c.checkAnonymous()),
		c.wrong("admin", c.checkAdmins()),
		c.wrong("tls-cert", c.checkTLS()),
	)
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

// checkDir sets the default of Dir, the current directory.
func (c *Config) checkDir() error {
	if c.Storage == Mem {
		if c.Dir != "" {
			return fmt.Errorf("mem serves no directory: leave out %s, or serve it with --storage dir", c.Dir)
		}
		return nil
	}
	c.Dir = cmp.Or(c.Dir, ".")
	return nil
}

// checkState makes sure that the state of a tree in memory is in memory as well.
func (c *Config) checkState() error {
	if c.Storage != Mem {
		return nil
	}
	if c.State != (State{}) && !c.State.Memory {
		return errors.New("the tree of --storage mem is lost when davd exits, so its locks and properties can't be kept: leave this out, or write mem")
	}
	c.State = State{Memory: true}
	return nil
}

// checkLockTimeouts checks the range of lock timeouts.
func (c *Config) checkLockTimeouts() error {
	t := c.Handler.LockTimeouts
	if t.Max >= 0 && t.Min > t.Max {
		return fmt.Errorf("%v is more than --lock-timeout-max %v: write a shorter time", t.Min, t.Max)
	}
	return nil
}

// checkAnonymous rejects --anonymous together with --htpasswd, because they contradict
// each other.
func (c *Config) checkAnonymous() error {
	if c.Anonymous && c.HTPasswd != "" {
		return fmt.Errorf("contradicts --htpasswd %s, which only lets in users: leave out one of the two", c.HTPasswd)
	}
	return nil
}

// checkAdmins rejects --admin without --htpasswd, because only --htpasswd names users.
func (c *Config) checkAdmins() error {
	if len(c.Admins) > 0 && c.HTPasswd == "" {
		return fmt.Errorf("%s has no effect without users: name a file of users with --htpasswd FILE", c.Admins[0])
	}
	return nil
}

func (c *Config) checkTLS() error {
	switch {
	case c.TLSCert == "" && c.TLSKey != "":
		return errors.New("missing, but --tls-key is set: name the file of the certificate as well")
	case c.TLSCert != "" && c.TLSKey == "":
		return errors.New("the key is missing: name its file with --tls-key")
	}
	return nil
}
