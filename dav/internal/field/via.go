package field

import (
	"net/http"
	"strings"
)

// ViaHTTP10 reports whether a proxy on the way speaks HTTP/1.0 (RFC 9110 §7.6.3).
func ViaHTTP10(header http.Header) bool {
	for element := range Elements(header["Via"]) {
		protocol, _, _ := strings.Cut(element, " ")
		if name, version, found := strings.Cut(protocol, "/"); found {
			if !strings.EqualFold(name, "HTTP") {
				continue
			}
			protocol = version
		}
		if protocol == "1.0" || protocol == "0.9" {
			return true
		}
	}
	return false
}

// ProxySign returns the first header, in the order of names, that shows that the
// request came through a proxy, or "". Forged headers do no harm, because such a header
// never gains the request anything.
func ProxySign(header http.Header) string {
	sign := ""
	for name := range header {
		switch {
		case sign != "" && name > sign:
		case name == "Via", name == "Forwarded", name == "X-Real-Ip", name == "X-Varnish",
			name == "Cdn-Loop", name == "Cf-Ray", // RFC 8586, and Cloudflare's own
			strings.HasPrefix(name, "X-Forwarded-"):
			sign = name
		}
	}
	return sign
}
