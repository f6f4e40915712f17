package dav

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// TrustedProxies are the networks of the proxies in front whose word for their
// clients counts: the headers X-Forwarded-… and Forwarded. When there are any, the
// other end of a Unix socket counts as one too, because only processes of this
// machine reach it.
type TrustedProxies []netip.Prefix

// Sent reports whether r came from one of them, by the address of its connection.
func (t TrustedProxies) Sent(r *http.Request) bool {
	if len(t) == 0 {
		return false
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return true
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && t.Contain(remote.Addr())
}

// Contain reports whether addr is that of one of them.
func (t TrustedProxies) Contain(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(t, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// Client returns the address of r's client, as far as they know it, and through how
// many of them r came: 0 if none of them has sent it. The address is, in
// X-Forwarded-For, the last that is not one of theirs, since what stands before it
// anyone may have written. Only that header counts: a proxy that sets one of
// Forwarded and X-Real-IP passes on what a client has written into the others.
func (t TrustedProxies) Client(r *http.Request) (client netip.Addr, proxies int) {
	if !t.Sent(r) {
		return netip.Addr{}, 0
	}
	proxies = 1
	for _, hop := range slices.Backward(splitLists(r.Header["X-Forwarded-For"])) {
		addr, err := parseNode(hop)
		if err != nil {
			break // nobody knows what is before it
		}
		client = addr
		if !t.Contain(addr) {
			break
		}
		proxies++
	}
	return client, proxies
}

// Host returns the host that r's client has asked for, with its port if it has one, as
// far as they know it: "" if none of them has sent r, or if they don't say.
func (t TrustedProxies) Host(r *http.Request) string {
	if len(t) == 0 {
		return ""
	}
	_, host := t.origin(r)
	return host
}

// origin returns the scheme and the host that r's client has asked for, "" for what
// no proxy tells. X-Forwarded-Proto and -Host count before Forwarded: most proxies
// set them, and pass on a Forwarded that they do not know.
func (t TrustedProxies) origin(r *http.Request) (scheme, host string) {
	_, proxies := t.Client(r)
	if proxies == 0 {
		return "", ""
	}
	scheme = forwardedScheme(farthest(r.Header["X-Forwarded-Proto"], proxies))
	host = forwardedHost(farthest(r.Header["X-Forwarded-Host"], proxies))
	if scheme != "" && host != "" {
		return scheme, host
	}
	otherScheme, otherHost := t.forwarded(r)
	return cmp.Or(scheme, otherScheme), cmp.Or(host, otherHost)
}

// farthest returns what the farthest of so many proxies has appended to a header.
// Where there is less than one for each, one of them has replaced what was there.
func farthest(values []string, proxies int) string {
	elements := splitLists(values)
	if len(elements) == 0 {
		return ""
	}
	return elements[max(len(elements)-proxies, 0)]
}

// splitLists splits the values of a header that has no quoted strings. An empty
// element has its place, too.
func splitLists(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	elements := strings.Split(strings.Join(values, ","), ",")
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
	}
	return elements
}

// forwarded returns what the header Forwarded tells of scheme and host (RFC 7239
// §5.3, §5.4). Its last element is that of who has sent r; one before it counts if
// the proxy is trusted that has appended it, which is the "for" of the next (§5.2).
func (t TrustedProxies) forwarded(r *http.Request) (scheme, host string) {
	elements := slices.Collect(listElements(r.Header["Forwarded"]))
	for _, element := range slices.Backward(elements) {
		parameters, ok := parseForwarded(element)
		if !ok {
			break
		}
		scheme = cmp.Or(forwardedScheme(parameters["proto"]), scheme)
		host = cmp.Or(forwardedHost(parameters["host"]), host)
		if node, err := parseNode(parameters["for"]); err != nil || !t.Contain(node) {
			break
		}
	}
	return scheme, host
}
