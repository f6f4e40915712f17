package dav

import (
	"cmp"
	"slices"
	"testing"
)

func TestKnownClient(t *testing.T) {
	for _, c := range []struct {
		userAgent string
		product   string // "": not known
		limit     int
	}{
		// Safe, as measured.
		{"davfs2/1.6.1 neon/0.32.5", "neon", 120},
		{"cadaver/0.24 neon/0.32.5", "neon", 120},
		{"litmus/0.13 neon/0.32.5", "neon", 120},
		{"davfs2/1.7.0 neon/0.33.0", "neon", 0},
		{"davfs2/1.7.1 neon/0.34.2", "neon", 0},
		{"gvfs/1.50.3", "gvfs", 0},
		{"libsoup/2.74.3", "libsoup", 0},
		{"myapp/1.0 libsoup/3.2.3", "libsoup", 0},
		{"Mozilla/5.0 (X11; Linux x86_64) KIO/5.103", "KIO", 0},
		{"curl/7.88.1", "curl", 0},
		{"rclone/v1.60.1-DEV", "rclone", 4},
		{"rclone/v1.75.1", "rclone", 4},
		{"Go-http-client/1.1", "Go-http-client", 4},
		{"Go-http-client/2.0", "Go-http-client", 4},
		{"python-httpx/0.23.3", "python-httpx", 0},
		{"Python/3.11 aiohttp/3.8.4", "aiohttp", 0},
		{"undici", "undici", 0},
		{"node-fetch", "node-fetch", 0},
		{"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "node-fetch", 0},
		{"axios/1.21.1", "axios", 0},
		{"Java-http-client/17.0.15", "Java-http-client", 8},
		{"Apache-HttpClient/4.5.14 (Java/17.0.15)", "Apache-HttpClient", 0},
		{"Apache-HttpClient/5.2.1 (Java/17.0.15)", "Apache-HttpClient", 0},

		// Not safe: these take a 102 for the final response, or hang.
		{"", "", 0},
		{"Python-urllib/3.11", "", 0},
		{"python-requests/2.28.1", "", 0},
		{"python-urllib3/1.26.12", "", 0},
		{"okhttp/3.13.1", "", 0},
		{"okhttp/4.12.0", "", 0},
		{"libwww-perl/6.68", "", 0},
		{"DAV.pm/v0.49 libwww-perl/6.68", "", 0},
		{"Java/17.0.15", "", 0},
		{"Wget/1.21.3", "", 0},
		{"Wget2/1.99.1", "", 0},
		{"PycURL/7.45.2 libcurl/7.88.1 GnuTLS/3.7.9", "", 0},
		// Not known.
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", "", 0},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "", 0},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "", 0},
		{"WebDAVFS/3.0.0 (03008000) Darwin/23.6.0 (arm64)", "", 0},
		{"Microsoft-WebDAV-MiniRedir/10.0.26100", "", 0},
		{"Microsoft Office Excel 2014", "", 0},

		// What only looks like a product.
		{"CURL/8.0", "curl", 0},
		{"curling/1.0", "", 0},
		{"mycurl/1.0", "", 0},
		{"curl-impersonate/1.0", "", 0},
		{"okhttp/3.13.1 (like curl/7.88.1)", "", 0},
		{"okhttp/3.13.1 (a (curl/7) b curl/7)", "", 0},
		{"okhttp/3.13.1 ( curl/7.88.1", "", 0},
		{"x(comment)curl/7.88.1", "curl", 0},
		{"x (comment)curl/7.88.1", "curl", 0},
		{")( curl/7", "", 0},
	} {
		t.Run(c.userAgent, func(t *testing.T) {
			got, known := knownClient(c.userAgent)
			if known != (c.product != "") || got.Product != c.product || got.Limit != c.limit {
				t.Errorf("%q limit %d, want %q limit %d", got.Product, got.Limit, c.product, c.limit)
			}
		})
	}
}

// TestNeonVersions: neon counts interim responses before 0.33 only, and
// without a version it is not known which one it is.
func TestNeonVersions(t *testing.T) {
	for _, c := range []struct {
		version string
		known   bool
		limit   int
	}{
		{"neon/0.32.5", true, 120},
		{"neon/0.32", true, 120},
		{"neon/0.32.99", true, 120},
		{"neon/0.9", true, 120},
		{"neon/0.25.4", true, 120},
		{"neon/0.33", true, 0},
		{"neon/0.33.0", true, 0},
		{"neon/0.33.0.1", true, 0},
		{"neon/0.100.0", true, 0},
		{"neon/1.0", true, 0},
		{"neon/v0.32.5", true, 120},
		{"neon", false, 0},
		{"neon/", false, 0},
		{"neon/garbage", true, 120}, // the careful one of the two
		{"neon/0.33-dev", true, 120},
	} {
		t.Run(c.version, func(t *testing.T) {
			got, known := knownClient("davfs2/1.6.1 " + c.version)
			if known != c.known || got.Limit != c.limit {
				t.Errorf("known %t, limit %d, want %t, %d", known, got.Limit, c.known, c.limit)
			}
		})
	}
}

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"1", "1", 0},
		{"1", "1.0.0", 0},
		{"1.0.1", "1", 1},
		{"0.9", "0.10", -1},
		{"2", "10", -1},
		{"1.2.3", "1.2.4", -1},
		{"x", "0", 0},
		{"x", "1", -1},
		{"99999999999999999999", "1", 1},
	} {
		if got := compareVersions(c.a, c.b); got != c.want {
			t.Errorf("%q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
		if got := compareVersions(c.b, c.a); got != -c.want {
			t.Errorf("%q to %q is %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

// TestClients: every entry says where it comes from, and none can be changed
// from outside.
func TestClients(t *testing.T) {
	list := Clients()
	for _, c := range list {
		if c.Product == "" || c.Source == "" || c.Limit < 0 {
			t.Errorf("%+v is not complete", c)
		}
		version := cmp.Or(c.From, "0")
		if got, known := knownClient(c.Product + "/" + version); !known || got != c {
			t.Errorf("%s/%s finds %+v, want %+v", c.Product, version, got, c)
		}
	}
	before := slices.Clone(list)
	list[0].Product = "changed"
	if !slices.Equal(Clients(), before) {
		t.Error("the table has been changed through its copy")
	}
}
