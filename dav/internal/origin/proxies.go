package origin

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// Proxies are the networks of the proxies whose headers X-Forwarded-… and
// Forwarded the server believes. If there are any, the server also trusts clients on a
// Unix socket, because only processes on this machine can reach it.
type Proxies []netip.Prefix

// Sent reports whether r came from a trusted proxy, judging by the connection.
func (t Proxies) Sent(r *http.Request) bool {
	if len(t) == 0 {
		return false
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return true
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && t.Contain(remote.Addr())
}

// Contain reports whether addr belongs to a trusted proxy.
func (t Proxies) Contain(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(t, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// Client returns the address of r's client as the trusted proxies report it, and the
// number of trusted proxies that r passed through. Without any, it returns the zero Addr
// and 0. The address is the last one in X-Forwarded-For that is not a trusted proxy's;
// anyone may have written those before it. Client ignores Forwarded and X-Real-IP,
// because a proxy that sets X-Forwarded-For often passes on what the client wrote there.
func (t Proxies) Client(r *http.Request) (client netip.Addr, proxies int) {
	if !t.Sent(r) {
		return netip.Addr{}, 0
	}
	proxies = 1
	for _, hop := range slices.Backward(splitLists(r.Header["X-Forwarded-For"])) {
		addr, err := field.ParseNode(hop)
		if err != nil {
			break // the addresses before it can't be trusted
		}
		client = addr
		if !t.Contain(addr) {
			break
		}
		proxies++
	}
	return client, proxies
}

// Host returns the host (with an optional port) that the client asked for, as the trusted
// proxies report it. It returns "" if r came from no trusted proxy or they don't say.
func (t Proxies) Host(r *http.Request) string {
	_, host := t.origin(r)
	return host
}

// origin returns the scheme and the host that the client asked for, each "" if no trusted
// proxy reports it. X-Forwarded-Proto and X-Forwarded-Host come before Forwarded: most
// proxies set them, and pass on a Forwarded from the client.
func (t Proxies) origin(r *http.Request) (scheme, host string) {
	_, proxies := t.Client(r)
	if proxies == 0 {
		return "", ""
	}
	scheme = field.ForwardedScheme(farthest(r.Header["X-Forwarded-Proto"], proxies))
	host = field.ForwardedHost(farthest(r.Header["X-Forwarded-Host"], proxies))
	if scheme != "" && host != "" {
		return scheme, host
	}
	otherScheme, otherHost := t.forwarded(r)
	return cmp.Or(scheme, otherScheme), cmp.Or(host, otherHost)
}

// farthest returns the element of a header that the proxy closest to the client appended,
// if the request passed through the given number of proxies. If the header has fewer
// elements, a proxy replaced it, and the first element counts.
func farthest(values []string, proxies int) string {
	elements := splitLists(values)
	if len(elements) == 0 {
		return ""
	}
	return elements[max(len(elements)-proxies, 0)]
}

// splitLists splits the values of a header without quoted strings. It keeps empty
// elements, because their position matters.
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

// forwarded returns the scheme and host from the header Forwarded (RFC 7239 §5.3, §5.4).
// The proxy that sent r appended the last element. An earlier element counts if the proxy
// that appended it, which is the "for" of the next element (§5.2), is trusted.
func (t Proxies) forwarded(r *http.Request) (scheme, host string) {
	elements := slices.Collect(field.Elements(r.Header["Forwarded"]))
	for _, element := range slices.Backward(elements) {
		parameters, ok := field.ParseForwarded(element)
		if !ok {
			break
		}
		scheme = cmp.Or(field.ForwardedScheme(parameters["proto"]), scheme)
		host = cmp.Or(field.ForwardedHost(parameters["host"]), host)
		if node, err := field.ParseNode(parameters["for"]); err != nil || !t.Contain(node) {
			break
		}
	}
	return scheme, host
}
