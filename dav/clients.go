package dav

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Client is a program whose behaviour on interim responses is known.
type Client struct {
	// Product is the name of a product in the User-Agent (RFC 9110 §10.1.5).
	Product string
	// From and Before bound its versions: From ≤ version < Before. Empty: no
	// bound.
	From, Before string
	// Limit is how many interim responses it survives for one request; 0: no
	// limit was found.
	Limit int
	// Helps: one restarts its read time-out.
	Helps bool
	// Source says where this was seen.
	Source string
}

// Clients returns the programs that get interim responses in the mode auto.
// The first that matches one of a User-Agent's products counts.
func Clients() []Client { return slices.Clone(clients) }

// clients are the programs that get interim responses in the mode auto. All
// were measured on Debian 12 with up to 1,000 interim responses on a request,
// and got the final response, its content and that of the next request right.
// What is not here is not safe, or not known, or says that it is something else: Python's
// http.client and requests, LWP and OkHttp 3 take a 102 for the final
// response.
var clients = []Client{
	{Product: "neon", Before: "0.33", Limit: 120, Helps: true, Source: `davfs2 1.6.1, cadaver 0.24 and litmus 0.13 on neon 0.32.5: "Too many interim responses" at 128`},
	{Product: "neon", From: "0.33", Source: `neon 0.33: all interim responses together must stay within the read time-out`},
	{Product: "gvfs", Helps: true, Source: "gvfs 1.50.3 on libsoup 3.2.3: mount, list, copy, move, remove"},
	{Product: "libsoup", Helps: true, Source: "libsoup 2.74.3 and 3.2.3"},
	{Product: "KIO", Source: "KIO 5.103 (kioclient5 webdav://)"},
	{Product: "curl", Source: "curl 7.88.1, HTTP/1.1 and HTTP/2: at most 300 KiB of headers in sum; --max-time and --speed-time go on"},
	{Product: "rclone", Limit: 4, Source: `rclone 1.60.1 on Go 1.19: "too many 1xx informational responses" at the sixth; on Go 1.24 or newer there is no limit, but the User-Agent does not tell`},
	{Product: "Go-http-client", Limit: 4, Source: "net/http before Go 1.24: fails at the sixth, a 100 included; the User-Agent does not tell the version"},
	{Product: "python-httpx", Helps: true, Source: "httpx 0.23.3, HTTP/1.1 and HTTP/2"},
	{Product: "aiohttp", Helps: true, Source: "aiohttp 3.8.4 (sock_read)"},
	{Product: "undici", Helps: true, Source: "undici 6.24.1 and 7.30.2 (headersTimeout)"},
	{Product: "node-fetch", Source: "node-fetch 3.3.2, npm webdav 5.11.0"},
	{Product: "axios", Source: "axios 1.21.1"},
	{Product: "Java-http-client", Limit: 8, Source: `JDK 17 java.net.http: "Too many interim responses received: 9 > 8"`},
	{Product: "Apache-HttpClient", Helps: true, Source: "Apache HttpClient 4.5.14 and 5.2.1"},
}

// knownClient returns the first of clients that userAgent names.
func knownClient(userAgent string) (Client, bool) {
	products := products(userAgent)
	for _, c := range clients {
		for _, p := range products {
			if strings.EqualFold(p.name, c.Product) && c.covers(p.version) {
				return c, true
			}
		}
	}
	return Client{}, false
}

// covers reports whether version is within c's bounds. Without a version a
// bounded entry does not cover it.
func (c *Client) covers(version string) bool {
	if c.From == "" && c.Before == "" {
		return true
	}
	return version != "" &&
		(c.From == "" || compareVersions(version, c.From) >= 0) &&
		(c.Before == "" || compareVersions(version, c.Before) < 0)
}

type product struct{ name, version string }

// products splits a User-Agent (RFC 9110 §10.1.5), without its comments.
func products(userAgent string) []product {
	var plain strings.Builder
	depth := 0
	for _, c := range userAgent {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
			plain.WriteByte(' ')
		case depth == 0:
			plain.WriteRune(c)
		}
	}
	var found []product
	for field := range strings.FieldsSeq(plain.String()) {
		name, version, _ := strings.Cut(field, "/")
		found = append(found, product{name, strings.TrimPrefix(version, "v")})
	}
	return found
}

// compareVersions compares dotted numbers. A part that is no number is 0.
func compareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		if c := cmp.Compare(m, n); c != 0 {
			return c
		}
	}
	return 0
}
