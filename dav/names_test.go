package dav

import (
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
)

func TestPrefix(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{
		{"", ""},
		{"/", ""},
		{"//", ""},
		{"/.", ""},
		{"/dav", "/dav"},
		{"/dav/", "/dav"},
		{"dav", "/dav"},
		{"//dav//x/", "/dav/x"},
		{"/a b/%41", "/a b/%41"},
	} {
		h := &Handler{Prefix: c.prefix, FileSystem: webdav.NewMemFS()}
		if got := h.prefix(t.Context()); got != c.want {
			t.Errorf("prefix of %q is %q, want %q", c.prefix, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct {
		name, prefix, path string // path is the decoded one
		want               string
		status             int
	}{
		{name: "no prefix", path: "/a/b", want: "/a/b"},
		{name: "root", path: "/", want: "/"},
		{name: "RFC 9112 §3.2.2 absolute form without a path", path: "", want: "/"},
		{name: "root of the prefix", prefix: "/dav", path: "/dav/", want: "/"},
		{name: "root of the prefix without its slash", prefix: "/dav", path: "/dav", want: "/"},
		{name: "prefix with a slash", prefix: "/dav/", path: "/dav/a", want: "/a"},
		{name: "prefix without a leading slash", prefix: "dav", path: "/dav/a", want: "/a"},
		{name: "prefix / is none", prefix: "/", path: "/dav/a", want: "/dav/a"},
		{name: "prefix // is none", prefix: "//", path: "/a", want: "/a"},
		{name: "the prefix ends at a segment", prefix: "/dav", path: "/davd", status: http.StatusNotFound},
		{name: "the prefix ends at a segment, below", prefix: "/dav", path: "/davd/a", status: http.StatusNotFound},
		{name: "part of the prefix", prefix: "/dav", path: "/da", status: http.StatusNotFound},
		{name: "outside the prefix", prefix: "/dav", path: "/", status: http.StatusNotFound},
		{name: "out of the prefix with ..", prefix: "/dav", path: "/dav/../etc", status: http.StatusNotFound},
		{name: "out of the prefix and back in", prefix: "/dav", path: "/x/../dav/a", want: "/a"},
		{name: "above the root", path: "/../../a", status: http.StatusForbidden},
		{name: "..", path: "/a/b/../c", want: "/a/c"},
		{name: ".", path: "/a/./b/.", want: "/a/b"},
		{name: "names of dots", path: "/.../..a/a..", want: "/.../..a/a.."},
		{name: "//", prefix: "/dav", path: "//dav///a//b//", want: "/a/b"},
		{name: "RFC 4918 §5.2 trailing slash", path: "/a/", want: "/a"},
		{name: "a backslash is no slash", path: `/a\b\..\c`, want: `/a\b\..\c`},
		{name: "a name that looks encoded", path: "/%2e%2e/%2F", want: "/%2e%2e/%2F"},
		{name: "RFC 9112 §3.2.4 asterisk form", path: "*", status: http.StatusBadRequest},
		{name: "a name of one asterisk", path: "/*", want: "/*"},
		{name: "NUL", path: "/a\x00b", status: http.StatusBadRequest},
		{name: "newline", path: "/a\nb", want: "/a\nb"},
		{name: "invalid UTF-8", path: "/\xff\xfe", want: "/\xff\xfe"},
		{name: "case counts in the prefix", prefix: "/dav", path: "/DAV/a", status: http.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &Handler{Prefix: c.prefix, FileSystem: webdav.NewMemFS()}
			got, err := h.name(t.Context(), c.path)
			if got != c.want || status.Of(err) != c.status {
				t.Errorf("%q with the prefix %q is %q, status %d, want %q, %d", c.path, c.prefix, got, status.Of(err), c.want, c.status)
			}
		})
	}
}

func TestDestination(t *testing.T) {
	for _, c := range []struct {
		name        string
		destination string
		prefix      string
		host        string // of the request; "": davd.test
		forwarded   []string
		want        string
		status      int
	}{
		{name: "§10.3 absolute URI", destination: "http://davd.test/a/b", want: "/a/b"},
		{name: "§10.3 absolute path", destination: "/a/b", want: "/a/b"},
		{name: "§8.3 trailing slash", destination: "/a/b/", want: "/a/b"},
		{name: "§10.3 missing", status: http.StatusBadRequest},
		{name: "relative path", destination: "b", status: http.StatusBadRequest},
		{name: "relative path with a dot", destination: "./b", status: http.StatusBadRequest},
		{name: "relative path up", destination: "../b", status: http.StatusBadRequest},
		{name: "opaque", destination: "http:b", status: http.StatusBadRequest},
		{name: "opaque with another scheme", destination: "mailto:a@davd.test", status: http.StatusBadRequest},
		{name: "scheme without a host", destination: "file:///etc/passwd", status: http.StatusBadRequest},
		{name: "http without a host", destination: "http:///b", status: http.StatusBadRequest},
		{name: "only a query", destination: "?a", status: http.StatusBadRequest},
		{name: "only a fragment", destination: "#a", status: http.StatusBadRequest},
		{name: "bad escape", destination: "/%zz", status: http.StatusBadRequest},
		{name: "bad port", destination: "http://davd.test:x/b", status: http.StatusBadRequest},
		{name: "space in the host", destination: "http://davd .test/b", status: http.StatusBadRequest},
		{name: "control character", destination: "/a\tb", status: http.StatusBadRequest},
		{name: "encoded NUL", destination: "/a%00b", status: http.StatusBadRequest},
		{name: "RFC 9112 §3.2.2 host without a path", destination: "http://davd.test", want: "/"},

		{name: "§9.8.5 other host", destination: "http://other.test/b", status: http.StatusBadGateway},
		{name: "§9.8.5 other port", destination: "http://davd.test:8080/b", status: http.StatusBadGateway},
		{name: "host that only begins alike", destination: "http://davd.test.evil/b", status: http.StatusBadGateway},
		{name: "user information is no host", destination: "http://davd.test@other.test/b", status: http.StatusBadGateway},
		{name: "user information", destination: "http://me@davd.test/b", want: "/b"},
		{name: "network-path reference", destination: "//davd.test/b", status: http.StatusBadGateway},
		{name: "other scheme", destination: "ftp://davd.test/b", status: http.StatusBadGateway},
		{name: "https behind a proxy that ends TLS", destination: "https://davd.test/b", want: "/b"},
		{name: "upper-case scheme", destination: "HTTP://davd.test/b", want: "/b"},
		{name: "upper-case host", destination: "http://DAVD.Test/b", want: "/b"},
		{name: "RFC 3986 §3.2.2 encoded host", destination: "http://d%61vd%2Etest/b", want: "/b"},
		{name: "an encoded slash is none of the host's", destination: "http://davd.test%2Fb/c", status: http.StatusBadRequest},
		{name: "upper-case Host", destination: "http://davd.test/b", host: "DAVD.TEST", want: "/b"},
		{name: "default port in the URI", destination: "http://davd.test:80/b", want: "/b"},
		{name: "default port in Host", destination: "http://davd.test/b", host: "davd.test:80", want: "/b"},
		{name: "default port of https", destination: "https://davd.test:443/b", want: "/b"},
		{name: "the other scheme's port", destination: "https://davd.test:80/b", status: http.StatusBadGateway},
		{name: "RFC 3986 §6.2.3 empty port", destination: "http://davd.test:/b", want: "/b"},
		{name: "port", destination: "http://davd.test:8080/b", host: "davd.test:8080", want: "/b"},
		{name: "port missing in the URI", destination: "http://davd.test/b", host: "davd.test:8080", status: http.StatusBadGateway},
		{name: "IPv6", destination: "http://[::1]/b", host: "[::1]", want: "/b"},
		{name: "IPv6 with the default port", destination: "http://[::1]:80/b", host: "[::1]", want: "/b"},
		{name: "IPv6 with a port", destination: "http://[::1]:8080/b", host: "[::1]:8080", want: "/b"},
		{name: "IPv6, other port", destination: "http://[::1]:8081/b", host: "[::1]:8080", status: http.StatusBadGateway},
		{name: "IPv6, other address", destination: "http://[::2]/b", host: "[::1]", status: http.StatusBadGateway},
		{name: "X-Forwarded-Host", destination: "https://public.test/b", forwarded: []string{"public.test"}, want: "/b"},
		{name: "X-Forwarded-Host with its port", destination: "https://public.test:8443/b", forwarded: []string{"public.test:8443"}, want: "/b"},
		{name: "X-Forwarded-Host of two proxies", destination: "https://public.test/b", forwarded: []string{"inner.test , public.test"}, want: "/b"},
		{name: "two X-Forwarded-Host", destination: "https://public.test/b", forwarded: []string{"inner.test", "public.test"}, want: "/b"},
		{name: "X-Forwarded-Host is another", destination: "https://other.test/b", forwarded: []string{"public.test"}, status: http.StatusBadGateway},
		{name: "Host beside X-Forwarded-Host", destination: "http://davd.test/b", forwarded: []string{"public.test"}, want: "/b"},

		{name: "prefix", destination: "http://davd.test/dav/b", prefix: "/dav", want: "/b"},
		{name: "root of the prefix", destination: "/dav", prefix: "/dav/", want: "/"},
		{name: "§9.8.5 outside the prefix", destination: "/b", prefix: "/dav", status: http.StatusBadGateway},
		{name: "the prefix ends at a segment", destination: "/davd/b", prefix: "/dav", status: http.StatusBadGateway},
		{name: "out of the prefix with ..", destination: "/dav/../b", prefix: "/dav", status: http.StatusBadGateway},
		{name: "out of the prefix with encoded ..", destination: "/dav/%2E%2e/b", prefix: "/dav", status: http.StatusBadGateway},
		{name: "encoded prefix", destination: "/%64av/b", prefix: "/dav", want: "/b"},

		{name: "encoded space", destination: "/a%20b", want: "/a b"},
		{name: "plus is plus", destination: "/a+b", want: "/a+b"},
		{name: "an encoded slash separates", destination: "/a%2Fb", want: "/a/b"},
		{name: "encoded percent", destination: "/a%252Fb", want: "/a%2Fb"},
		{name: "encoded #, ? and ;", destination: "/a%23%3F%3b", want: "/a#?;"},
		{name: "unencoded UTF-8", destination: "/ä", want: "/ä"},
		{name: "encoded invalid UTF-8", destination: "/%FF", want: "/\xff"},
		{name: "..", destination: "/a/../b", want: "/b"},
		{name: "§8.3 # in a name", destination: "http://davd.test/a #1.docx", want: "/a #1.docx"},
		{name: "§8.3 # in a collection's name", destination: "/a#/b #2#", want: "/a#/b #2#"},
		{name: "§8.3 # at the beginning", destination: "/#", want: "/#"},
		{name: "§8.3 # and escapes", destination: "/%C3%A4 #%23", want: "/ä ##"},
		{name: "§8.3 # in the prefix's place", destination: "/#dav/b", prefix: "/dav", status: http.StatusBadGateway},
		{name: "§8.3 # behind the prefix", destination: "/dav#/b", prefix: "/dav", status: http.StatusBadGateway},
		{name: "# in the host", destination: "http://davd.test#/b", status: http.StatusBadRequest},
		{name: "§8.3 query", destination: "/b?c=d", status: http.StatusBadRequest},
		{name: "§8.3 empty query", destination: "/b?", status: http.StatusBadRequest},
		{name: "§8.3 ? in a name", destination: "http://davd.test/what? #1.docx", status: http.StatusBadRequest},
		{name: "RFC 3986 §2.1 % in a name", destination: "/100% sure.docx", status: http.StatusBadRequest},
		{name: "RFC 3986 §2.1 % at the end", destination: "/100%", status: http.StatusBadRequest},
		{name: "RFC 3986 §2.1 half an escape", destination: "/100%2", status: http.StatusBadRequest},
		{name: "unencoded spaces", destination: "http://davd.test/a  b c", want: "/a  b c"},
		{name: "unencoded bytes that are no UTF-8", destination: "/\xfc", want: "/\xfc"},
		{name: "unencoded characters that no URI has", destination: `/a"<>[]^{|}\b`, want: `/a"<>[]^{|}\b`},
		{name: "reserved", destination: "/.davd-x", status: http.StatusForbidden},
		{name: "reserved collection", destination: "/a/.davd-x/b", status: http.StatusForbidden},
		{name: "reserved in upper case", destination: "/.DAVD-x", status: http.StatusForbidden},
		{name: "encoded reserved", destination: "/%2Edavd-x", status: http.StatusForbidden},
		{name: "encoded reserved with an encoded slash", destination: "/a%2F%2edavd%2Dx", status: http.StatusForbidden},
		{name: "encoded twice is not reserved", destination: "/%252Edavd-x", want: "/%2Edavd-x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{Method: "COPY", Host: "davd.test", Header: http.Header{}}
			if c.host != "" {
				r.Host = c.host
			}
			if c.destination != "" {
				r.Header.Set("Destination", c.destination)
			}
			if c.forwarded != nil {
				r.Header["X-Forwarded-Host"] = c.forwarded
			}
			h := &Handler{Prefix: c.prefix, FileSystem: webdav.NewMemFS()}
			got, err := h.destination(r)
			if got != c.want || status.Of(err) != c.status {
				t.Errorf("Destination %q is %q, status %d (%v), want %q, %d", c.destination, got, status.Of(err), err, c.want, c.status)
			}
		})
	}
}

func TestHref(t *testing.T) {
	for _, c := range []struct {
		name, prefix, resource string
		collection             bool
		want                   string
	}{
		{name: "file", resource: "/a/b", want: "/a/b"},
		{name: "RFC 4918 §5.2 collection", resource: "/a/b", collection: true, want: "/a/b/"},
		{name: "root", resource: "/", collection: true, want: "/"},
		{name: "root below a prefix", prefix: "/dav", resource: "/", collection: true, want: "/dav/"},
		{name: "prefix", prefix: "/dav", resource: "/a", want: "/dav/a"},
		{name: "prefix to escape", prefix: "/d v", resource: "/a", want: "/d%20v/a"},
		{name: "XML", resource: `/<&>"'`, want: "/%3C&%3E%22%27"},
		{name: "URL", resource: "/%23#?;[]{}|\\^`", want: "/%2523%23%3F%3B%5B%5D%7B%7D%7C%5C%5E%60"},
		{name: "a colon in the first segment", resource: "/a:b", want: "/a:b"},
		{name: "UTF-8", resource: "/ä€", want: "/%C3%A4%E2%82%AC"},
		{name: "newline and DEL", resource: "/\n\x7f", want: "/%0A%7F"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &Handler{Prefix: c.prefix, FileSystem: webdav.NewMemFS()}
			if got := h.href(t.Context(), c.resource, c.collection); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestHrefEveryByte checks that a client can decode an href to the name.
func TestHrefEveryByte(t *testing.T) {
	h := &Handler{Prefix: "/dav"}
	for c := 1; c < 256; c++ {
		if c == '/' {
			continue
		}
		name := "/a" + string([]byte{byte(c)}) + "b"
		checkHref(t, h, name)
	}
}

// checkHref checks that the href of name is ASCII, is safe in a header and, escaped, in
// XML, and leads back to name.
func checkHref(t *testing.T, h *Handler, name string) {
	t.Helper()
	for _, collection := range []bool{false, true} {
		href := h.href(t.Context(), name, collection)
		for i := range len(href) {
			switch c := href[i]; {
			case c <= ' ', c >= 0x7f, c == '<', c == '>', c == '"', c == '\'', c == '\\':
				t.Fatalf("the href %q of %q has the character %q", href, name, c)
			}
		}
		u, err := url.Parse(href)
		if err != nil {
			t.Fatalf("the href of %q: %v", name, err)
		}
		if u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("the href %q of %q is more than a path", href, name)
		}
		if back, err := h.name(t.Context(), u.Path); err != nil || back != name {
			t.Fatalf("the href %q of %q leads to %q, %v", href, name, back, err)
		}
	}
}
