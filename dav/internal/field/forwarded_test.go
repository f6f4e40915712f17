package field

import (
	"strings"
	"testing"
)

func TestForwardedHostSyntax(t *testing.T) {
	for _, c := range []struct {
		name, host string
		ok         bool
	}{
		{"RFC 9110 §7.2 name", "public.test", true},
		{"RFC 9110 §7.2 name and port", "public.test:8443", true},
		{"upper case", "Public.TEST", true},
		{"one label", "nas", true},
		{"underscore", "my_nas.lan", true},
		{"trailing dot", "public.test.", true},
		{"RFC 3986 §3.2.2 IPv4", "192.0.2.1:80", true},
		{"RFC 3986 §3.2.2 IPv6", "[2001:db8::1]", true},
		{"RFC 3986 §3.2.2 IPv6 and port", "[2001:db8::1]:443", true},
		{"the longest name", strings.Repeat("a.", 126) + "a", true},
		{"too long a name", strings.Repeat("a.", 127), false},
		{"empty", "", false},
		{"only a port", ":80", false},
		{"empty port", "public.test:", false},
		{"port 0", "public.test:0", false},
		{"port 65536", "public.test:65536", false},
		{"a sign before the port", "public.test:+80", false},
		{"a service for a port", "public.test:http", false},
		{"two ports", "public.test:80:80", false},
		{"RFC 3986 §3.2.1 user information", "me@public.test", false},
		{"a password", "me:secret@public.test", false},
		{"a space", "public .test", false},
		{"a tab", "public\t.test", false},
		{"a line end", "public.test\r\nX: y", false},
		{"NUL", "public\x00.test", false},
		{"a path", "public.test/x", false},
		{"a query", "public.test?x", false},
		{"a fragment", "public.test#x", false},
		{"a backslash", `public.test\x`, false},
		{"a URL", "https://public.test", false},
		{"markup", "<public.test>", false},
		{"quotes", `"public.test"`, false},
		{"percent-encoded", "public%2Etest", false},
		{"not ASCII", "öffentlich.test", false},
		{"IPv6 without brackets", "2001:db8::1", false},
		{"IPv6, no end", "[2001:db8::1", false},
		{"IPv6, no end, and a port", "[1:2:3:4:5:6:7:8:9", false},
		{"IPv6, no begin", "2001:db8::1]", false},
		{"IPv6, something after it", "[2001:db8::1]x", false},
		{"IPv6 with a zone", "[fe80::1%25eth0]", false},
		{"IPv4 in brackets", "[192.0.2.1]", false},
		{"a name in brackets", "[public.test]", false},
		{"RFC 7239 §6 unknown is an ordinary name", "unknown", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			if c.ok {
				want = c.host
			}
			if got := ForwardedHost(c.host); got != want {
				t.Errorf("%q is %q, want %q", c.host, got, want)
			}
		})
	}
}
