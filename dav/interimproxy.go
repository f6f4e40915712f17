package dav

import (
	"net/http"
	"strings"
)

// InterimProxy says what the proxies in front of the server do with interim
// responses. Some answer 502 or never, and not all can be seen in a request: where
// nginx forwards with HTTP/1.1, as it does by default from 1.29.7 on, the operator
// has to choose the mode never.
type InterimProxy int

const (
	// ProxyNone says that no proxy is known to pass them on, so none are sent where
	// the request shows one, unless the mode is always. That holds for a client that
	// asks, too: it knows what it can take itself, not what stands in between.
	ProxyNone InterimProxy = iota
	// ProxyPass says that they pass on any number, as HAProxy, lighttpd and nghttpx
	// do.
	ProxyPass
	// ProxyApache says that an Apache httpd passes on nine for a request, a 100
	// (Continue) included, and makes a 502 of the tenth.
	ProxyApache
)

// apacheCap is how many interim responses Apache httpd passes on.
const apacheCap = 9

var interimProxies = [...]string{ProxyNone: "none", ProxyPass: "pass", ProxyApache: "apache"}

// String returns "none", "pass" or "apache".
func (p InterimProxy) String() string { return wordOf(interimProxies[:], p, "InterimProxy") }

// ParseInterimProxy is the inverse of [InterimProxy.String].
func ParseInterimProxy(s string) (InterimProxy, error) {
	return parseWord[InterimProxy](interimProxies[:], s)
}

// viaHTTP10 reports whether a proxy on the way speaks HTTP/1.0 (RFC 9110
// §7.6.3).
func viaHTTP10(r *http.Request) bool {
	for element := range listElements(r.Header["Via"]) {
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

// proxied reports whether the request shows that a proxy stands between.
func proxied(r *http.Request) bool { return proxySign(r) != "" }

// proxySign returns the first header, by name, that shows that a proxy stands
// between, or "". It does not matter who has set it: a sign never gains a request
// more than it has without.
func proxySign(r *http.Request) string {
	sign := ""
	for name := range r.Header {
		switch {
		case sign != "" && name > sign:
		case name == "Via", name == "Forwarded", name == "X-Real-Ip", name == "X-Varnish",
			strings.HasPrefix(name, "X-Forwarded-"):
			sign = name
		}
	}
	return sign
}
