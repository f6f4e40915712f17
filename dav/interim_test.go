package dav

import (
	"testing"
	"time"
)

// User-Agents of clients for whom it is known what they make of a 102.
const (
	davfs2     = "davfs2/1.6.1 neon/0.32.5"
	cadaver    = "cadaver/0.24 neon/0.32.5"
	davfs2New  = "davfs2/1.7.1 neon/0.34.2"
	gvfs       = "gvfs/1.50.3"
	rclone     = "rclone/v1.60.1-DEV"
	curl       = "curl/7.88.1"
	goClient   = "Go-http-client/1.1"
	jdk        = "Java-http-client/17.0.15"
	jdkOld     = "Java/17.0.15"
	requests   = "python-requests/2.28.1"
	okHTTP     = "okhttp/3.13.1"
	lwp        = "libwww-perl/6.68"
	chromium   = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
	miniRedir  = "Microsoft-WebDAV-MiniRedir/10.0.26100"
	processing = "processing"
)

// grantCase is a request and what it may get.
type grantCase struct {
	name         string
	mode         InterimMode
	userAgent    string
	major, minor int // of the protocol; 0: 1.1
	fields       []string
	limit        int
	asked        bool
}

func (c grantCase) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		r := requestWith("COPY", c.fields...)
		if c.userAgent != "" {
			r.Header.Set("User-Agent", c.userAgent)
		}
		if c.major != 0 || c.minor != 0 {
			r.ProtoMajor, r.ProtoMinor = c.major, c.minor
		}
		config := &Interim{Mode: c.mode}
		if got, want := config.grant(r), (grant{limit: c.limit, asked: c.asked}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// TestGrantRule2: never to HTTP/1.0, nor where Via says 1.0 (RFC 9110
// §15.2), whatever the mode and whoever asks.
func TestGrantRule2(t *testing.T) {
	for _, mode := range []InterimMode{InterimAuto, InterimAlways} {
		for _, c := range []grantCase{
			{name: "HTTP/1.0", major: 1, minor: 0, asked: true},
			{name: "HTTP/0.9", major: 0, minor: 9, asked: true},
			{name: "HTTP/1.1", limit: unlimited, asked: true},
			{name: "HTTP/2", major: 2, limit: unlimited, asked: true},
			{name: "Via 1.0", fields: []string{"Via", "1.0 fred"}, asked: true},
			{name: "Via HTTP/1.0", fields: []string{"Via", "HTTP/1.0 fred"}, asked: true},
			{name: "Via 0.9", fields: []string{"Via", "0.9 fred"}, asked: true},
			{name: "Via 1.1", fields: []string{"Via", "1.1 vegur"}, limit: unlimited, asked: true},
			{name: "Via 1.0 among others", fields: []string{"Via", "1.0 fred, 1.1 p.example.net"}, asked: true},
			{name: "Via 1.0 last", fields: []string{"Via", "2 a, 1.0 b"}, asked: true},
			{name: "Via 1.0 in the second header", fields: []string{"Via", "1.1 a", "Via", "1.0 b"}, asked: true},
			{name: "HTTP/2 with Via 1.0", major: 2, fields: []string{"Via", "1.0 fred"}, asked: true},
		} {
			c.name, c.mode = mode.String()+" "+c.name, mode
			c.fields = append(c.fields, "Prefer", processing)
			c.run(t)
		}
	}
}

func TestViaHTTP10(t *testing.T) {
	for _, c := range []struct {
		name string
		via  []string
		want bool
	}{
		{"none", nil, false},
		{"empty", []string{""}, false},
		{"RFC 9110 §7.6.3 pseudonym", []string{"1.0 fred"}, true},
		{"RFC 9110 §7.6.3 example", []string{"1.0 fred, 1.1 p.example.net"}, true},
		{"RFC 9110 §7.6.3 example with 1.1", []string{"1.1 ricky, 1.1 ethel, 1.1 fred"}, false},
		{"name and version", []string{"HTTP/1.0 fred"}, true},
		{"name in lower case", []string{"http/1.0 fred"}, true},
		{"another protocol of that version", []string{"SIP/1.0 fred"}, false},
		{"comment", []string{"1.0 fred (Apache/1.1)"}, true},
		{"a comment that says 1.0", []string{"1.1 fred (Apache/1.0)"}, false},
		{"a comment with a comma", []string{"1.1 fred (a, b)"}, false},
		{"Caddy to an HTTP/1.0 client", []string{"1.0 Caddy"}, true},
		{"nghttpx", []string{"1.1 nghttpx"}, false},
		{"HTTP/2 and 3", []string{"2 a, 2.0 b, 3 c"}, false},
		{"1.0 is only the name", []string{"1.1 1.0"}, false},
		{"without a name", []string{"1.0"}, true},
		{"second header", []string{"1.1 a", "1.0 b"}, true},
		{"1.00 is no version", []string{"1.00 a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := requestWith("COPY")
			r.Header["Via"] = c.via
			if got := viaHTTP10(r); got != c.want {
				t.Errorf("%q: %t, want %t", c.via, got, c.want)
			}
		})
	}
}

// TestGrantRule3: in the mode auto to who asked, and to who is known to be
// safe where nothing shows a proxy; in always to all; in never to none.
func TestGrantRule3(t *testing.T) {
	ask := []string{"Prefer", processing}
	for _, c := range []grantCase{
		{name: "auto, safe", userAgent: gvfs, limit: unlimited},
		{name: "auto, browser", userAgent: chromium},
		{name: "auto, requests", userAgent: requests},
		{name: "auto, OkHttp", userAgent: okHTTP},
		{name: "auto, LWP", userAgent: lwp},
		{name: "auto, HttpURLConnection", userAgent: jdkOld},
		{name: "auto, Explorer", userAgent: miniRedir},
		{name: "auto, no User-Agent"},
		{name: "auto, not known but asks", userAgent: requests, fields: ask, limit: unlimited, asked: true},
		{name: "auto, nobody asks", fields: ask, limit: unlimited, asked: true},
		{name: "auto, prefers something else", userAgent: requests, fields: []string{"Prefer", "respond-async"}},
		{name: "always", mode: InterimAlways, userAgent: requests, limit: unlimited},
		{name: "always without User-Agent", mode: InterimAlways, limit: unlimited},
		{name: "always, asks", mode: InterimAlways, fields: ask, limit: unlimited, asked: true},
		{name: "always behind a proxy", mode: InterimAlways, userAgent: requests, fields: []string{"X-Forwarded-For", "192.0.2.1"}, limit: unlimited},
		{name: "never, safe", mode: InterimNever, userAgent: gvfs},
		{name: "never, asks", mode: InterimNever, fields: ask, asked: true},
	} {
		c.run(t)
	}
	for _, sign := range [][]string{
		{"Via", "1.1 proxy"},
		{"Forwarded", "for=192.0.2.1"},
		{"X-Forwarded-For", "192.0.2.1"},
		{"X-Forwarded-Proto", "https"},
		{"X-Forwarded-Host", "public.test"},
		{"X-Forwarded-Port", "443"},
		{"x-forwarded-server", "proxy"},
		{"X-Real-IP", "192.0.2.1"},
		{"X-Varnish", "32770"},
		{"X-Forwarded-For", ""},
	} {
		grantCase{name: "auto, safe, " + sign[0], userAgent: gvfs, fields: sign}.run(t)
		grantCase{
			name: "auto, asks, " + sign[0], userAgent: gvfs, fields: append(sign, ask...), limit: unlimited, asked: true,
		}.run(t)
	}
	grantCase{name: "auto, safe, X-Forwarded is no sign", userAgent: gvfs, fields: []string{"X-Forward", "x"}, limit: unlimited}.run(t)
}

// TestGrantRule5: at most what the client survives, a 100 (Continue)
// included.
func TestGrantRule5(t *testing.T) {
	ask := []string{"Prefer", processing}
	expect := []string{"Expect", "100-continue"}
	for _, c := range []grantCase{
		{name: "davfs2", userAgent: davfs2, limit: 120},
		{name: "cadaver", userAgent: cadaver, limit: 120},
		{name: "neon from 0.33", userAgent: davfs2New, limit: unlimited},
		{name: "gvfs", userAgent: gvfs, limit: unlimited},
		{name: "curl", userAgent: curl, limit: unlimited},
		{name: "rclone", userAgent: rclone, limit: 4},
		{name: "Go", userAgent: goClient, limit: 4},
		{name: "JDK", userAgent: jdk, limit: 8},
		{name: "who asks keeps the limit", userAgent: rclone, fields: ask, limit: 4, asked: true},
		{name: "always keeps the limit", mode: InterimAlways, userAgent: jdk, limit: 8},
		{name: "a limit behind a proxy", mode: InterimAlways, userAgent: rclone, fields: []string{"Via", "1.1 p"}, limit: 4},
		{name: "Expect", userAgent: rclone, fields: expect, limit: 3},
		{name: "Expect and no known limit", userAgent: gvfs, fields: expect, limit: unlimited - 1},
		{name: "Expect and nothing granted", userAgent: requests, fields: expect},
		{name: "Expect in the mode never", mode: InterimNever, userAgent: rclone, fields: expect},
	} {
		c.run(t)
	}
}

func TestInterimMode(t *testing.T) {
	for mode, name := range map[InterimMode]string{InterimAuto: "auto", InterimAlways: "always", InterimNever: "never"} {
		if got := mode.String(); got != name {
			t.Errorf("%d is %q, want %q", int(mode), got, name)
		}
		if got, err := ParseInterimMode(name); got != mode || err != nil {
			t.Errorf("%q is %v, %v, want %v", name, got, err, mode)
		}
	}
	for _, s := range []string{"", "Auto", "on", "InterimMode(0)"} {
		if mode, err := ParseInterimMode(s); err == nil {
			t.Errorf("%q is %v, want an error", s, mode)
		}
	}
	for _, mode := range []InterimMode{-1, 3} {
		if got := mode.String(); got == "" {
			t.Errorf("%d has no name", int(mode))
		}
	}
	if mode := new(Handler).Interim.Mode; mode != InterimAuto {
		t.Errorf("the zero value is %v, want auto", mode)
	}
}

func TestInterimTimes(t *testing.T) {
	for _, c := range []struct {
		interim      Interim
		after, every time.Duration
	}{
		{Interim{}, 20 * time.Second, 20 * time.Second},
		{Interim{After: time.Second, Every: time.Minute}, time.Second, time.Minute},
		{Interim{After: -1, Every: -1}, 0, 20 * time.Second},
	} {
		if after, every := c.interim.after(), c.interim.every(); after != c.after || every != c.every {
			t.Errorf("%+v: after %v, every %v, want %v, %v", c.interim, after, every, c.after, c.every)
		}
	}
}
