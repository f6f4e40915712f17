package dav

import (
	"net/http"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// InterimProxy says what the proxies in front of the server do with interim responses.
// Some proxies answer 502 or never, and some leave no sign in the request. One of them
// is nginx, if it forwards with HTTP/1.1, as it does by default since 1.29.7; behind
// that, the operator has to choose the mode never.
type InterimProxy int

const (
	// ProxyNone says that no proxy is known to pass them on. Then none are sent if the
	// request shows signs of a proxy, unless the mode is always. This also applies to a
	// client that asks, because it knows what it can handle itself, but not which proxies
	// are in between.
	ProxyNone InterimProxy = iota
	// ProxyPass says that the proxies pass on any number, as HAProxy, lighttpd and nghttpx
	// do.
	ProxyPass
	// ProxyApache says that one is an Apache httpd. That passes on nine for a request,
	// including a 100 (Continue), and answers 502 instead of the tenth.
	ProxyApache
)

// apacheCap is how many interim responses Apache httpd passes on for one request.
const apacheCap = 9

var interimProxies = [...]string{ProxyNone: "none", ProxyPass: "pass", ProxyApache: "apache"}

// String returns "none", "pass" or "apache".
func (p InterimProxy) String() string { return wordOf(interimProxies[:], p, "InterimProxy") }

// viaHTTP10 reports whether a proxy on the way speaks HTTP/1.0 (RFC 9110 §7.6.3).
func viaHTTP10(r *http.Request) bool {
	for element := range field.Elements(r.Header["Via"]) {
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

// proxied reports whether the request shows that it came through a proxy.
func proxied(r *http.Request) bool { return proxySign(r) != "" }

// proxySign returns the first header, in the order of names, that shows that the
// request came through a proxy, or "". Forged headers do no harm, because such a header
// never gains the request anything.
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
