package interim

import (
	"cmp"
	"slices"
	"testing"

	"github.com/davd/davd/dav/internal/field"
)

// none says that the table has no row for the client.
const none = "no row"

func TestClient(t *testing.T) {
	for _, c := range []struct {
		userAgent string
		product   string
		limit     int
	}{
		// These survive the given number of interim responses.
		{"davfs2/1.6.1 neon/0.32.5", "neon", 120},
		{"cadaver/0.24 neon/0.32.5", "neon", 120},
		{"litmus/0.13 neon/0.32.5", "neon", 120},
		{"davfs2/1.7.0 neon/0.33.0", "neon", Unlimited},
		{"davfs2/1.7.1 neon/0.34.2", "neon", Unlimited},
		{"gvfs/1.50.3", "gvfs", Unlimited},
		{"libsoup/2.74.3", "libsoup", Unlimited},
		{"myapp/1.0 libsoup/3.2.3", "libsoup", Unlimited},
		{"Mozilla/5.0 (X11; Linux x86_64) KIO/5.103", "KIO", Unlimited},
		{"curl/7.88.1", "curl", Unlimited},
		{"PycURL/7.45.2 libcurl/7.88.1 GnuTLS/3.7.9", "PycURL", Unlimited},
		{"rclone/v1.60.1-DEV", "rclone", 4},
		{"rclone/v1.75.1", "rclone", Unlimited},
		{"Go-http-client/1.1", "Go-http-client", 4},
		{"Go-http-client/2.0", "Go-http-client", 4},
		{"python-httpx/0.23.3", "python-httpx", Unlimited},
		{"Python/3.11 aiohttp/3.8.4", "aiohttp", Unlimited},
		{"undici", "undici", Unlimited},
		{"node", "node", Unlimited},
		{"node-fetch", "node-fetch", Unlimited},
		{"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "node-fetch", Unlimited},
		{"axios/1.21.1", "axios", Unlimited},
		{"got (https://github.com/sindresorhus/got)", "got", Unlimited},
		{"Java-http-client/17.0.15", "Java-http-client", 8},
		{"Apache-HttpClient/4.5.14 (Java/17.0.15)", "Apache-HttpClient", Unlimited},
		{"Apache-HttpClient/5.2.1 (Java/17.0.15)", "Apache-HttpClient", Unlimited},
		{"Ruby", "Ruby", 50},

		// These take a 102 for the final response, or hang.
		{"Python-urllib/3.11", "Python-urllib", 0},
		{"python-requests/2.28.1", "python-requests", 0},
		{"python-urllib3/1.26.12", "python-urllib3", 0},
		{"okhttp/3.13.1", "okhttp", 0},
		{"okhttp/4.12.0", "okhttp", 0},
		{"libwww-perl/6.68", "libwww-perl", 0},
		{"DAV.pm/v0.49 libwww-perl/6.68", "libwww-perl", 0},
		{"Java/17.0.15", "Java", 0},
		{"Java/1.8.0_392", "Java", 0},
		{"Wget2/1.99.1", "Wget2", 0},

		// These were not tested.
		{"", none, 0},
		{"Wget/1.21.3", none, 0},
		{"okhttp/5.0.0", none, 0},
		{"Java/21.0.2", none, 0},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", none, 0},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", none, 0},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", none, 0},
		{"WebDAVFS/3.0.0 (03008000) Darwin/23.6.0 (arm64)", none, 0},
		{"Microsoft-WebDAV-MiniRedir/10.0.26100", none, 0},
		{"Microsoft Office Excel 2014", none, 0},

		// Of several products, the most careful row applies, in any order.
		{"curl/7.88.1 python-requests/2.28.1", "python-requests", 0},
		{"python-requests/2.28.1 curl/7.88.1", "python-requests", 0},
		{"gvfs/1.50.3 rclone/v1.60.1 neon/0.32.5", "rclone", 4},
		{"gvfs/1.50.3 curl/7.88.1", "curl", Unlimited}, // because of its limit in bytes

		// These only look like a product.
		{"CURL/8.0", "curl", Unlimited},
		{"curling/1.0", none, 0},
		{"mycurl/1.0", none, 0},
		{"curl-impersonate/1.0", none, 0},
		{"okhttp/3.13.1 (like curl/7.88.1)", "okhttp", 0},
		{"curl/7.88.1 (not okhttp/3.13.1)", "curl", Unlimited},
	} {
		t.Run(c.userAgent, func(t *testing.T) {
			got, known := new(Policy).Client(c.userAgent)
			if product := cmp.Or(got.Product, none); product != c.product || got.Cap != c.limit || known != (c.product != none) {
				t.Errorf("%s with cap %d, want %s with cap %d", product, got.Cap, c.product, c.limit)
			}
		})
	}
}

// TestClientVersions: the table has separate rows for versions that behave differently.
func TestClientVersions(t *testing.T) {
	for _, c := range []struct {
		product string
		limit   int
	}{
		{"neon/0.9", 120},
		{"neon/0.25.4", 120},
		{"neon/0.32", 120},
		{"neon/0.32.5", 120},
		{"neon/0.32.99", 120},
		{"neon/v0.32.5", 120},
		{"neon/0.33", Unlimited},
		{"neon/0.33.0", Unlimited},
		{"neon/0.33.0.1", Unlimited},
		{"neon/0.100.0", Unlimited},
		{"neon/1.0", Unlimited},
		{"rclone/v1.9.0", 4},
		{"rclone/v1.60.1", 4},
		{"rclone/v1.70.3", 4},
		{"rclone/v1.71.0", Unlimited},
		{"rclone/v1.71.0-DEV", 4}, // made before 1.71.0
		{"rclone/v1.75.1-DEV", Unlimited},
		{"rclone/v1.100.0", Unlimited},
		{"rclone/v2.0.0", Unlimited},
		// If the version is unknown, it may be any of them.
		{"neon", 120},
		{"neon/", 120},
		{"neon/garbage", 120},
		{"neon/0.33-dev", 120},
		{"rclone/beta", 4},
		{"okhttp", 0},
		{"okhttp/v", 0},
	} {
		t.Run(c.product, func(t *testing.T) {
			got, known := new(Policy).Client("a/1 " + c.product)
			if !known || got.Cap != c.limit {
				t.Errorf("known %t, cap %d, want %d", known, got.Cap, c.limit)
			}
		})
	}
}

// TestClientsOfTheOperator: the operator's rows take precedence over davd's.
func TestClientsOfTheOperator(t *testing.T) {
	i := &Policy{Clients: []KnownClient{
		{Product: "myapp", Cap: 50},
		{Product: "CURL", Cap: 7},
		{Product: "neon", From: "0.40", Cap: 9},
		{Product: "both", Cap: 3},
		{Product: "late", From: "2", Cap: 6},
	}}
	for userAgent, want := range map[string]int{
		"myapp/1.0":                        50,
		"myapp/1.0 python-requests/2.28.1": 50,
		"python-requests/2.28.1":           0,
		"curl/7.88.1":                      7,
		"neon/0.41":                        9,
		"neon/0.32":                        120,
		"myapp/1 both/1":                   3,
		"late/2":                           6,
		"late":                             6,
	} {
		if got, known := i.Client(userAgent); !known || got.Cap != want {
			t.Errorf("%s: known %t, cap %d, want %d", userAgent, known, got.Cap, want)
		}
	}
	table := i.KnownClients()
	count := func(product string) (n int) {
		for _, c := range table {
			if c.Product == product {
				n++
			}
		}
		return n
	}
	if !slices.Equal(table[:5], i.Clients) {
		t.Errorf("the table begins with %+v", table[:5])
	}
	if count("curl") != 0 || count("neon") != 3 || count("gvfs") != 1 {
		t.Errorf("%d rows for curl, %d for neon, %d for gvfs", count("curl"), count("neon"), count("gvfs"))
	}
}

// TestKnownClients: every row names its source and is found by its product, and callers
// can't change the rows.
func TestKnownClients(t *testing.T) {
	list := new(Policy).KnownClients()
	for _, c := range list {
		if !field.IsToken(c.Product) || c.Source == "" || c.Cap < 0 || c.Bytes < 0 {
			t.Errorf("%+v is not complete", c)
		}
		version := cmp.Or(c.From, "0")
		if got, known := new(Policy).Client(c.Product + "/" + version); !known || got != c {
			t.Errorf("%s/%s finds %+v, want %+v", c.Product, version, got, c)
		}
	}
	before := slices.Clone(list)
	list[0].Product = "changed"
	if !slices.Equal(new(Policy).KnownClients(), before) {
		t.Error("the table has been changed through its copy")
	}
}

func TestHelp(t *testing.T) {
	for help, want := range map[Help]string{HelpUnknown: "unknown", HelpYes: "yes", HelpNo: "no", 7: "Help(7)", -1: "Help(-1)"} {
		if got := help.String(); got != want {
			t.Errorf("%d is %q, want %q", int(help), got, want)
		}
	}
}
