package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// unixScheme begins the address of a Unix socket.
const unixScheme = "unix:"

// Addr is an address to listen at.
type Addr struct {
	// Network is "tcp" or "unix".
	Network string
	// Address is host:port, or the path of the socket.
	Address string
}

// String returns the address in the form that [ParseAddr] accepts.
func (a Addr) String() string {
	if a.Network == "unix" {
		return unixScheme + a.Address
	}
	return a.Address
}

// ParseAddr parses host:port or unix:PATH. An empty host means all interfaces, port 0 any
// free port.
func ParseAddr(s string) (Addr, error) {
	if socket, ok := strings.CutPrefix(s, unixScheme); ok {
		if socket == "" {
			return Addr{}, fmt.Errorf("%q has no path: write %s/run/davd.sock, for example", s, unixScheme)
		}
		return Addr{Network: "unix", Address: socket}, nil
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return Addr{}, fmt.Errorf("%q is not an address: write host:port, such as 127.0.0.1:8080, or %sPATH", s, unixScheme)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Addr{}, fmt.Errorf("%q has no port from 0 to 65535: write host:port, such as 127.0.0.1:8080", s)
	}
	return Addr{Network: "tcp", Address: s}, nil
}

// relativeAddr returns an address in a configuration file in dir.
func relativeAddr(dir, s string) string {
	if socket, ok := strings.CutPrefix(s, unixScheme); ok {
		return unixScheme + setting.Join(dir, socket)
	}
	return s
}
