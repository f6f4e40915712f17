package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
)

func parsePrefix(s string) (string, error) {
	trimmed := strings.TrimRight(s, "/")
	switch {
	case trimmed == "":
		return "", nil
	case s[0] != '/':
		return "", fmt.Errorf("%q does not begin with a slash: write /%s", s, s)
	case path.Clean(trimmed) != trimmed:
		return "", fmt.Errorf("%q is not a plain path: write %s", s, path.Clean(trimmed))
	}
	return trimmed, nil
}

// parseRealm accepts only characters that need no escape in a quoted-string (RFC 9110
// §5.6.4) and look the same in every client.
func parseRealm(s string) (string, error) {
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return "", fmt.Errorf("%q contains a character that some clients can't show: write printable ASCII without quotes and backslashes", s)
		}
	}
	return s, nil
}

// parseNetwork parses an address, or a network in CIDR notation (RFC 4632 §3.1).
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return network, fmt.Errorf("%q is neither an address nor a network: write 192.0.2.7 or 10.0.0.0/8, for example", s)
	}
	if network != network.Masked() {
		return network, fmt.Errorf("%q is an address within a network: write %s for the address, or %s for the network", s, network.Addr(), network.Masked())
	}
	return network, nil
}

// parseClient parses a row for the table of known clients, such as curl=100: a product name
// from the User-Agent header, and how many interim responses the client can handle.
func parseClient(s string) (interim.KnownClient, error) {
	name, count, found := strings.Cut(s, "=")
	if !found || !isProduct(name) {
		return interim.KnownClient{}, fmt.Errorf("%q is not NAME=CAP: write a name as User-Agent has it, without its version, and a number, such as curl=100", s)
	}
	limit, err := strconv.ParseUint(count, 10, 31)
	if err != nil {
		return interim.KnownClient{}, fmt.Errorf("%q has no number of interim responses: write %s=100, or %s=0 for none", s, name, name)
	}
	return interim.KnownClient{Product: name, Cap: int(limit), Source: "--interim-client"}, nil
}

// isProduct reports whether s may be a product's name (RFC 9110 §10.1.5).
func isProduct(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// parseInfinity parses what to do with a PROPFIND with Depth infinity: allow, deny or a
// number of members.
func parseInfinity(s string) (int, error) {
	switch s {
	case "allow":
		return 0, nil
	case "deny":
		return dav.NoInfinity, nil
	}
	n, err := setting.Count(s)
	if err != nil {
		return 0, fmt.Errorf("unknown value %q: write allow, deny or the number of members after which no further collection is listed", s)
	}
	return n, nil
}

// parseCancel parses what happens to an operation whose client disconnects. It returns true
// for cancel.
func parseCancel(s string) (bool, error) {
	if s != "finish" && s != "cancel" {
		return false, fmt.Errorf("unknown value %q: write finish or cancel", s)
	}
	return s == "cancel", nil
}

// parseLongest parses the upper limit of lock timeouts. It returns -1 for no limit.
func parseLongest(s string) (time.Duration, error) {
	if s == "infinite" {
		return -1, nil
	}
	return aboveZero(s)
}

func aboveZero(s string) (time.Duration, error) {
	d, err := setting.Duration(s)
	if err == nil && d == 0 {
		return 0, errors.New("it can't be zero: write a longer time, such as 20s")
	}
	return d, err
}

func parseSize(s string) (int64, error) {
	n, err := setting.Size(s)
	if err == nil && n == 0 {
		return 0, errors.New("it can't be zero: write a larger size, such as 1MiB")
	}
	return n, err
}
