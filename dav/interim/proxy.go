package interim

// Proxy says what the proxies in front of the server do with interim responses.
// Some proxies answer 502 or never, and some leave no sign in the request. One of them
// is nginx, if it forwards with HTTP/1.1, as it does by default since 1.29.7; behind
// that, the operator has to choose the mode never.
type Proxy int

const (
	// ProxyNone says that no proxy is known to pass them on. Then none are sent if the
	// request shows signs of a proxy, unless the mode is always. This also applies to a
	// client that asks, because it knows what it can handle itself, but not which proxies
	// are in between.
	ProxyNone Proxy = iota
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
func (p Proxy) String() string { return wordOf(interimProxies[:], p, "Proxy") }
