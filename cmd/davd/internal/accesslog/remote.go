package accesslog

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Remote returns the address in the RemoteAddr of a request without the port, or "unix".
func Remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "unix"
	}
	if !strings.Contains(host, "%") && !strings.HasPrefix(host, "::") {
		return host
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return addr.Unmap().WithZone("").String()
}
