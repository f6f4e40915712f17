package dav

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

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
		r := httptest.NewRequest("PROPFIND", "/", http.NoBody)
		r.RemoteAddr = c.client
		r.Header.Set("Accept-Encoding", "gzip")
		if c.field != "" {
			r.Header.Set(c.field, c.value)
		}
		h := &Handler{Compress: c.mode}
		if got := h.compressor(httptest.NewRecorder(), r) != nil; got != c.compressed {
			t.Errorf("%v to %s with %s %q: %v, want %v", c.mode, c.client, c.field, c.value, got, c.compressed)
		}
	}
}

func TestCompressionText(t *testing.T) {
	for mode, want := range map[Compression]string{CompressAuto: "auto", CompressAlways: "always", CompressNever: "never", 7: "Compression(7)"} {
		if got := mode.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
