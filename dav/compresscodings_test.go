package dav

import (
	"net/http"
	"testing"
)

func TestAcceptedCoding(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		coding string
		must   bool
	}{
		{"RFC 9110 §12.5.3 one coding", []string{"gzip"}, "gzip", false},
		{"the best of two", []string{"gzip, zstd"}, "zstd", false},
		{"as browsers send it", []string{"gzip, deflate, br, zstd"}, "zstd", false},
		{"in two fields", []string{"br", "gzip"}, "gzip", false},
		{"in any case", []string{"GZip"}, "gzip", false},
		{"RFC 9110 §8.4.1.3 x-gzip", []string{"x-gzip"}, "gzip", false},
		{"none that davd supports", []string{"br, deflate"}, "", false},
		{"empty: RFC 9110 §12.5.3", []string{""}, "", false},
		{"RFC 9110 §12.4.2 weights", []string{"gzip;q=1.0, zstd;q=0.5"}, "gzip", false},
		{"a weight in capitals, with blanks", []string{"zstd ; Q=0.5, gzip"}, "gzip", false},
		{"a small weight", []string{"gzip;q=0.001"}, "gzip", false},
		{"a weight of 0", []string{"gzip;q=0"}, "", false},
		{"one weight of 0", []string{"zstd;q=0, gzip"}, "gzip", false},
		{"another parameter", []string{"gzip;level=9"}, "", false},
		{"a weight beyond 1", []string{"gzip;q=2"}, "", false},
		{"a weight that is no number", []string{"gzip;q=NaN, zstd;q="}, "", false},
		{"four digits", []string{"gzip;q=0.1234"}, "", false},
		{"three digits", []string{"gzip;q=0.123, zstd;q=0.122"}, "gzip", false},
		{"an exponent", []string{"gzip;q=1e-1"}, "", false},
		{"hexadecimal, a sign, an infinity", []string{"gzip;q=0x1p-1, gzip;q=+1, gzip;q=-0, gzip;q=Inf"}, "", false},
		{"more than 1", []string{"gzip;q=1.001"}, "", false},
		{"a point without digits", []string{"gzip;q=1."}, "gzip", false},
		{"as Java sends it", []string{"zstd;q=.2, gzip;q=.3"}, "gzip", false},
		{"any coding", []string{"*"}, "zstd", false},
		{"any coding except one", []string{"*, zstd;q=0"}, "gzip", false},
		{"any coding, preferably one", []string{"*;q=0.5, gzip"}, "gzip", false},
		{"none at all", []string{"*;q=0"}, "", false},
		{"identity", []string{"identity"}, "", false},
		{"identity preferred", []string{"identity, gzip;q=0.5"}, "", false},
		{"identity with the same weight", []string{"identity;q=0.5, gzip;q=0.5"}, "gzip", false},
		{"identity with a lower weight", []string{"identity;q=0.5, gzip"}, "gzip", false},
		{"identity refused", []string{"identity;q=0, gzip;q=0.1"}, "gzip", true},
		{"identity refused with all others", []string{"gzip, *;q=0"}, "gzip", true},
		{"identity allowed, all others refused", []string{"gzip, identity;q=0.1, *;q=0"}, "gzip", false},
		{"identity refused, no supported coding", []string{"identity;q=0, br"}, "", false},
		{"identity refused, any other coding", []string{"identity;q=0, *"}, "zstd", true},
	} {
		coding, must := acceptedCoding(c.values)
		got := ""
		if coding != nil {
			got = coding.name
		}
		if got != c.coding || must != c.must {
			t.Errorf("%s: %q: %q, %v, want %q, %v", c.name, c.values, got, must, c.coding, c.must)
		}
	}
}

// TestCompressFor: which clients get a compressed answer.
func TestCompressFor(t *testing.T) {
	for _, c := range []struct {
		mode         Compression
		client       string
		field, value string
		compressed   bool
	}{
		{CompressAuto, "192.0.2.1:5", "", "", true},
		{CompressAuto, "[2001:db8::1]:5", "", "", true},
		{CompressAuto, "127.0.0.1:5", "", "", false},
		{CompressAuto, "[::1]:5", "", "", false},
		{CompressAuto, "[::ffff:127.0.0.1]:5", "", "", false},
		{CompressAuto, "@", "", "", false}, // a Unix socket
		{CompressAuto, "127.0.0.1:5", "X-Forwarded-For", "192.0.2.1", true},
		{CompressAuto, "@", "Via", "1.1 front", true},
		{CompressAuto, "127.0.0.1:5", "Accept-Encoding", "gzip, identity;q=0", true},
		{CompressAuto, "192.0.2.1:5", "Accept-Encoding", "br", false},
		{CompressAlways, "127.0.0.1:5", "", "", true},
		{CompressAlways, "127.0.0.1:5", "Accept-Encoding", "br", false},
		{CompressNever, "192.0.2.1:5", "", "", false},
		{CompressNever, "192.0.2.1:5", "Accept-Encoding", "gzip, identity;q=0", false},
	} {
		r := requestOn(t, &http.Server{})
		r.RemoteAddr = c.client
		r.Header.Set("Accept-Encoding", "gzip")
		if c.field != "" {
			r.Header.Set(c.field, c.value)
		}
		h := &Handler{Compress: c.mode}
		if got := h.compressor(newWire(), r) != nil; got != c.compressed {
			t.Errorf("%v to %s with %s %q: %v, want %v", c.mode, c.client, c.field, c.value, got, c.compressed)
		}
	}
}

func TestCompressionText(t *testing.T) {
	for mode, name := range map[Compression]string{CompressAuto: "auto", CompressAlways: "always", CompressNever: "never", 7: "Compression(7)"} {
		if got := mode.String(); got != name {
			t.Errorf("%d is %q, want %q", int(mode), got, name)
		}
	}
}
