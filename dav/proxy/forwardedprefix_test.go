package proxy_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/davd/davd/dav/proxy"
)

// stripping lets a proxy in front on this machine strip a prefix.
func stripping(h *proxy.Handler) {
	h.TrustedProxies = append(h.TrustedProxies, netip.MustParsePrefix("127.0.0.0/8"))
}

// TestForwardedPrefix checks that a trusted proxy in front may strip a prefix: the client's paths in
// Destination and If have it, and so have those in answers.
func TestForwardedPrefix(t *testing.T) {
	const files = "X-Forwarded-Prefix: /my files"
	f := serve(t, xnet(), stripping)
	f.wants(201, "MKCOL", "/dav/a/", "", files)
	f.wants(201, "PUT", "/dav/a/b%2520c", "content", files)
	f.wants(502, "COPY", "/dav/a/", "", files, "Destination: /dav/copy/")
	f.wants(201, "COPY", "/dav/a/", "", files, "Destination: {front}/my%20files/dav/copy/")
	lock := f.wants(200, "LOCK", "/dav/copy/b%2520c", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`, files)
	token := lock.Header.Get("Lock-Token")
	f.wants(412, "PUT", "/dav/copy/b%2520c", "new", files, "If: </dav/copy/b%2520c> ("+token+")")
	f.wants(201, "PUT", "/dav/copy/b%2520c", "new", files, "If: <{front}/my%20files/dav/copy/b%2520c> ("+token+")")
	f.wants(204, "UNLOCK", "/dav/copy/b%2520c", "", files, "Lock-Token: "+token)
	listing := f.wants(207, "PROPFIND", "/dav/copy/", "", files, "Depth: 1")
	for _, href := range []string{"<D:href>/my%20files/dav/copy/</D:href>", "<D:href>/my%20files/dav/copy/b%2520c</D:href>"} {
		if !strings.Contains(listing.body, href) {
			t.Errorf("%s is missing in %s", href, listing.body)
		}
	}
	moved := f.do("MOVE", "/dav/copy/", "", files, "Destination: /my%20files/dav/moved/", "Prefer: respond-async, wait=0")
	if location := moved.Header.Get("Location"); moved.StatusCode == http.StatusAccepted && !strings.HasPrefix(location, "/my%20files/dav/.davd-operations/") {
		t.Errorf("Location %q", location)
	}
	if got := f.wants(207, "PROPFIND", "/dav/a/", "", "Depth: 0", "X-Forwarded-Prefix: //evil.test"); !strings.Contains(got.body, "<D:href>/dav/a/</D:href>") {
		t.Errorf("a prefix that is no path was used: %s", got.body)
	}
}

// TestForwardedPrefixSamePath checks that answers are translated if only the stripped prefix differs
// between the paths of the proxy and of the upstream, and that the upstream doesn't see the header.
func TestForwardedPrefixSamePath(t *testing.T) {
	f := serve(t, echo(), func(h *proxy.Handler) {
		stripping(h)
		h.Prefix = "/up"
	})
	if got := f.wants(200, "COPY", "/up/a", "", "X-Forwarded-Prefix: /files", "Destination: {front}/files/up/b"); !strings.Contains(got.body, "Destination: {up}/up/b") {
		t.Error(got.body)
	}
	f = serve(t, xnet(), func(h *proxy.Handler) {
		stripping(h)
		h.Prefix = "/up"
	})
	if got := f.wants(207, "PROPFIND", "/up/", "", "X-Forwarded-Prefix: /files", "Depth: 0"); !strings.Contains(got.body, "<D:href>/files/up/</D:href>") {
		t.Error(got.body)
	}
}

// TestForwardedPrefixUntrusted checks that a client can't strip a prefix.
func TestForwardedPrefixUntrusted(t *testing.T) {
	f := serve(t, xnet(), nil)
	if got := f.wants(207, "PROPFIND", "/dav/", "", "X-Forwarded-Prefix: /files", "Depth: 0"); !strings.Contains(got.body, "<D:href>/dav/</D:href>") {
		t.Error(got.body)
	}
	f.wants(502, "COPY", "/dav/a", "", "X-Forwarded-Prefix: /files", "Destination: /files/dav/b")
}

// TestForwardedPrefixTwice checks that a proxy between a proxy in front and another davd leaves the
// prefix to itself: the davd behind it sees only its own paths.
func TestForwardedPrefixTwice(t *testing.T) {
	back := serve(t, xnet(), stripping)
	u, err := url.Parse(back.server.URL + "/dav/")
	if err != nil {
		t.Fatal(err)
	}
	f := serve(t, xnet(), func(h *proxy.Handler) {
		stripping(h)
		h.Upstream, h.Prefix = u, "/front"
	})
	if got := f.wants(207, "PROPFIND", "/front/", "", "X-Forwarded-Prefix: /files", "Depth: 0"); !strings.Contains(got.body, "<D:href>/files/front/</D:href>") {
		t.Error(got.body)
	}
}
