package dav_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
)

// originProxy is one of the proxies that TestOrigin trusts: 192.0.2.0/24 and
// 2001:db8::/32.
const originProxy = "192.0.2.1:40000"

// originCase is a request with headers about the scheme and host that its client asked
// for. Its Host is davd.test.
type originCase struct {
	name   string
	peer   string // "": originProxy
	fields []string
	want   string
}

const (
	public = "https://public.test"
	unsaid = "http://davd.test" // by any proxy
)

var originCases = []originCase{
	{name: "nothing", want: unsaid},
	{name: "X-Forwarded-Proto", fields: []string{"X-Forwarded-Proto: https"}, want: "https://davd.test"},
	{name: "X-Forwarded-Host", fields: []string{"X-Forwarded-Host: public.test"}, want: "http://public.test"},
	{name: "X-Forwarded-Proto and -Host", fields: []string{"X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: public.test"}, want: public},
	{name: "X-Forwarded-Host with a port", fields: []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: public.test:8443"}, want: public + ":8443"},
	{name: "X-Forwarded-Host, IPv4", fields: []string{"X-Forwarded-Host: 203.0.113.80:8080"}, want: "http://203.0.113.80:8080"},
	{name: "X-Forwarded-Host, IPv6", fields: []string{"X-Forwarded-Host: [2001:db8::80]"}, want: "http://[2001:db8::80]"},
	{name: "X-Forwarded-Host, IPv6 with a port", fields: []string{"X-Forwarded-Host: [2001:db8::80]:8080"}, want: "http://[2001:db8::80]:8080"},
	{name: "X-Forwarded-…: of a list the nearest", fields: []string{"X-Forwarded-Proto: http, https", "X-Forwarded-Host: evil.test,public.test"}, want: public},
	{name: "X-Forwarded-…: of several the last", fields: []string{"X-Forwarded-Proto: http", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "X-Forwarded-Host: public.test"}, want: public},
	{
		name:   "X-Forwarded-…: two proxies, each appends",
		fields: []string{"X-Forwarded-For: 203.0.113.5, 192.0.2.9", "X-Forwarded-Proto: ftp, https, http", "X-Forwarded-Host: evil.test, public.test, inner.test"}, want: public,
	},
	{
		name:   "X-Forwarded-…: two proxies, one appends",
		fields: []string{"X-Forwarded-For: 203.0.113.5, 192.0.2.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: public.test"}, want: public,
	},
	{
		name:   "X-Forwarded-…: two proxies, one of them a stranger's",
		fields: []string{"X-Forwarded-For: 203.0.113.5, 203.0.113.9", "X-Forwarded-Proto: http, https", "X-Forwarded-Host: inner.test, public.test"}, want: public,
	},
	{name: "X-Forwarded-Proto is malformed", fields: []string{"X-Forwarded-Proto: https:", "X-Forwarded-Host: public.test"}, want: "http://public.test"},
	{name: "X-Forwarded-Host is malformed", fields: []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: me@evil.test"}, want: "https://davd.test"},
	{name: "X-Forwarded-Host: the nearest is malformed", fields: []string{"X-Forwarded-Host: evil.test, public test"}, want: unsaid},
	{name: "X-Forwarded-Host: the nearest is empty", fields: []string{"X-Forwarded-Host: evil.test,"}, want: unsaid},

	{name: "RFC 7239 §4 Forwarded", fields: []string{"Forwarded: for=203.0.113.5;proto=https;by=192.0.2.1;host=public.test"}, want: public},
	{name: "RFC 7239 §4 case, and quotes", fields: []string{`Forwarded: FOR="203.0.113.5:4711";Proto="Https";hOST="public.test:8443"`}, want: public + ":8443"},
	{name: "RFC 7239 §4 quoted pairs", fields: []string{`Forwarded: host="pub\lic\.test";proto="\https"`}, want: public},
	{name: "RFC 7239 §4 empty pairs", fields: []string{"Forwarded: ;;host=public.test;;proto=https;"}, want: public},
	{name: "RFC 7239 §4 spaces, against it", fields: []string{"Forwarded: for=203.0.113.5; proto=https ; host=public.test"}, want: public},
	{name: "RFC 7239 §4 no quotes around a port, against it", fields: []string{"Forwarded: proto=https;host=public.test:8443"}, want: public + ":8443"},
	{name: "RFC 7239 §4 a comma in quotes", fields: []string{`Forwarded: secret="a,host=evil.test;b";host=public.test;proto=https`}, want: public},
	{name: "RFC 7239 §4 twice the same", fields: []string{"Forwarded: host=public.test;host=evil.test"}, want: unsaid},
	{name: "RFC 7239 §4 no value", fields: []string{"Forwarded: host=public.test;proto="}, want: unsaid},
	{name: "RFC 7239 §4 no parameter", fields: []string{"Forwarded: public.test"}, want: unsaid},
	{name: "RFC 7239 §4 a space in a value", fields: []string{"Forwarded: proto=https;host=public test"}, want: unsaid},
	{name: "RFC 7239 §4 a space in a name", fields: []string{"Forwarded: proto=https;ho st=public.test"}, want: unsaid},
	{name: "RFC 7239 §4 something behind the quotes", fields: []string{`Forwarded: proto="https"host=public.test`}, want: unsaid},
	{name: "RFC 7239 §4 an open quote", fields: []string{`Forwarded: for="203.0.113.5, for=203.0.113.5;host=public.test`}, want: unsaid},
	{name: "RFC 7239 §4 a client's quote before the proxy's", fields: []string{`Forwarded: host=evil.test;x=", for=203.0.113.5;host="public.test"`}, want: unsaid},
	{name: "RFC 7239 §4 malformed before what counts", fields: []string{`Forwarded: host=, for=203.0.113.5;proto=https;host=public.test`}, want: public},
	{name: "RFC 7239 §4 malformed behind what a client has written", fields: []string{"Forwarded: proto=https;host=evil.test, for=192.0.2.9;for=192.0.2.9"}, want: unsaid},
	{name: "RFC 7239 §5.3 not a host", fields: []string{`Forwarded: proto=https;host="evil.test/x"`}, want: "https://davd.test"},
	{name: "RFC 7239 §5.4 not a scheme of ours", fields: []string{`Forwarded: proto=ftp;host=public.test`}, want: "http://public.test"},
	{name: "RFC 7239 §7.1 of a list the nearest", fields: []string{"Forwarded: host=evil.test;proto=http, for=203.0.113.5;proto=https;host=public.test"}, want: public},
	{name: "RFC 7239 §7.1 of several the last", fields: []string{"Forwarded: host=evil.test;proto=http", "Forwarded: for=203.0.113.5;proto=https;host=public.test"}, want: public},
	{
		name:   "RFC 7239 §7.1 two proxies",
		fields: []string{`Forwarded: for=203.0.113.5;host=evil.test, for=203.0.113.5;proto=https;host=public.test, for="192.0.2.9:4711";proto=http;host=inner.test`}, want: public,
	},
	{
		name:   "RFC 7239 §7.1 two proxies, the farther tells less",
		fields: []string{"Forwarded: for=203.0.113.5;proto=https, for=192.0.2.9;proto=http;host=public.test"}, want: public,
	},
	{
		name:   "RFC 7239 §7.1 two proxies, the farther is malformed",
		fields: []string{"Forwarded: for=203.0.113.5;host=evil test, for=192.0.2.9;proto=https;host=public.test"}, want: public,
	},
	{
		name:   "RFC 7239 §5.2 the farther is a stranger",
		fields: []string{"Forwarded: for=203.0.113.5;host=evil.test;proto=http, for=203.0.113.9;proto=https;host=public.test"}, want: public,
	},
	{
		name:   "RFC 7239 §6.1 IPv6",
		fields: []string{`Forwarded: for=203.0.113.5;proto=https;host=public.test, for="[2001:db8::9]:4711";proto=http;host=inner.test`}, want: public,
	},
	{name: "RFC 7239 §6.2 unknown", fields: []string{"Forwarded: host=evil.test, for=unknown;proto=https;host=public.test"}, want: public},
	{name: "RFC 7239 §6.3 obfuscated", fields: []string{`Forwarded: host=evil.test, for="_gazonk";proto=https;host=public.test`}, want: public},

	{name: "both: X-Forwarded-… counts", fields: []string{"Forwarded: host=evil.test;proto=http", "X-Forwarded-Proto: https", "X-Forwarded-Host: public.test"}, want: public},
	{name: "one in each", fields: []string{"Forwarded: for=203.0.113.5;host=public.test", "X-Forwarded-Proto: https"}, want: public},
	{name: "one in each and both in one", fields: []string{"Forwarded: host=evil.test;proto=https", "X-Forwarded-Host: public.test"}, want: public},
	{name: "one in each, the other way", fields: []string{"Forwarded: for=203.0.113.5;proto=https", "X-Forwarded-Host: public.test"}, want: public},
	{name: "X-Forwarded-… is malformed, Forwarded is not", fields: []string{"Forwarded: host=public.test;proto=https", "X-Forwarded-Proto: -", "X-Forwarded-Host: -/-"}, want: public},

	{name: "a proxy by IPv6", peer: "[2001:db8::1]:40000", fields: []string{"Forwarded: proto=https;host=public.test"}, want: public},
	{name: "RFC 4291 §2.5.5.2 a proxy by IPv4-mapped IPv6", peer: "[::ffff:192.0.2.1]:40000", fields: []string{"Forwarded: proto=https;host=public.test"}, want: public},
	{name: "a stranger: X-Forwarded-…", peer: "203.0.113.9:40000", fields: []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: public.test"}, want: unsaid},
	{name: "a stranger: RFC 7239 Forwarded", peer: "203.0.113.9:40000", fields: []string{"Forwarded: proto=https;host=public.test"}, want: unsaid},
	{
		name: "a stranger who names a proxy", peer: "203.0.113.9:40000",
		fields: []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: public.test", "X-Real-Ip: 192.0.2.1", "Forwarded: for=192.0.2.1;by=192.0.2.1;proto=https;host=public.test"}, want: unsaid,
	},
	{name: "an address that nobody can read", peer: "pipe", fields: []string{"Forwarded: proto=https;host=public.test"}, want: unsaid},
}

// TestOrigin checks that the scheme and host from a trusted proxy appear in Status-URI
// (RFC 2518 §9.7) and are accepted in Destination (RFC 4918 §10.3), and that no other
// host is. Location is a path, so it needs no host (RFC 9110 §10.2.2).
func TestOrigin(t *testing.T) {
	for _, c := range originCases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{TrustedProxies: prefixes("192.0.2.0/24", "2001:db8::/32"), Interim: interim.Policy{Proxy: interim.ProxyPass}})
				g.FS = slowRemoval{g.FS}
				g.open()
				peer := c.peer
				if peer == "" {
					peer = originProxy
				}
				c.wantDestinations(t, s.dialFrom(peer))
				client := s.dialFrom(peer)
				client.ask("DELETE /src", append(c.fields, "Prefer: processing")...)
				interims, _ := client.final()
				var told []string
				for _, interim := range interims {
					told = append(told, interim.header.Values("Status-URI")...)
				}
				if all := strings.Join(told, ", "); !strings.Contains(all, "204 <"+c.want+"/src/a.txt>") {
					t.Errorf("Status-URI is %q, want %s", all, c.want)
				}
				if location := interims[0].header.Get("Location"); !strings.HasPrefix(location, "/"+operation.Name+"/") {
					t.Errorf("Location is %q", location)
				}
			})
		})
	}
}

// wantDestinations sends a COPY with each possible host in Destination.
func (c originCase) wantDestinations(t *testing.T, client *bubbleClient) {
	t.Helper()
	for _, origin := range []string{c.want, unsaid, public, "https://evil.test", "https://inner.test"} {
		want := 502
		if _, host, _ := strings.Cut(c.want, "://"); strings.HasSuffix(origin, "//"+host) || origin == unsaid {
			want = 204
		}
		a := client.gets("COPY /src", append(c.fields, "Destination: "+origin+"/other")...)
		if a.status != want {
			t.Errorf("COPY to %s is %d, want %d", origin, a.status, want)
		}
	}
}

// TestOriginNobodyTrusted checks that without trusted proxies the server ignores these
// headers, except for the host in Destination (TestForwardedHost).
func TestOriginNobodyTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{Interim: interim.Policy{Proxy: interim.ProxyPass}})
		g.FS = slowRemoval{g.FS}
		g.open()
		client := s.dialFrom(originProxy)
		client.ask("DELETE /src", "X-Forwarded-Proto: https", "X-Forwarded-Host: public.test", "Forwarded: proto=https;host=public.test", "Prefer: processing")
		interims, _ := client.final()
		if told := interims[len(interims)-1].header.Get("Status-URI"); !strings.Contains(told, " <"+unsaid+"/src") || strings.Contains(told, "public.test") {
			t.Errorf("Status-URI is %q", told)
		}
	})
}

// TestOriginJoin checks that a request for another host does not join, although its
// Destination is the same text: only for the first request is it on this server.
func TestOriginJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{TrustedProxies: prefixes("192.0.2.0/24")})
		defer g.open()
		first, same, other := s.dialFrom(originProxy), s.dialFrom(originProxy), s.dialFrom(originProxy)
		first.ask("COPY /src", "Destination: https://public.test/dst", `Forwarded: for="203.0.113.5:4711";host=public.test`)
		<-g.waiting
		same.ask("COPY /src", "Destination: https://public.test/dst", `Forwarded: for="203.0.113.5:4712";host=public.test`)
		if err := other.SetDeadline(time.Now().Add(time.Minute)); err != nil { // it would wait for the first
			t.Fatal(err)
		}
		if a := other.gets("COPY /src", "Destination: https://public.test/dst", "Forwarded: for=203.0.113.6;host=other.test"); a.status != 502 {
			t.Errorf("for another host it is %d, want 502", a.status)
		}
		synctest.Wait()
		g.open()
		for _, client := range []*bubbleClient{first, same} {
			if _, a := client.final(); a.status != 201 {
				t.Errorf("it is %d, want 201", a.status)
			}
		}
	})
}

// dialFrom is dial by a client with that address.
func (s *bubbleServer) dialFrom(address string) *bubbleClient {
	s.Helper()
	client, serverSide := net.Pipe()
	s.listener.conns <- addressed{serverSide, address}
	s.Cleanup(func() { _ = client.Close() })
	return &bubbleClient{s, client, bufio.NewReader(client)}
}

// addressed is a connection from an address.
type addressed struct {
	net.Conn
	address string
}

func (c addressed) RemoteAddr() net.Addr { return memAddr(c.address) }

type memAddr string

func (memAddr) Network() string  { return "mem" }
func (a memAddr) String() string { return string(a) }
