package origin

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/davd/davd/dav/internal/status"
)

// TestForeign checks that the log learns both hosts and what to change, and the client neither.
func TestForeign(t *testing.T) {
	r := httptest.NewRequest("COPY", "http://backend:8080/a", nil)
	err := Server{}.Foreign(r, &url.URL{Scheme: "https", Host: "files.example", Path: "/b"})
	for _, want := range []string{"files.example", "backend:8080", "ProxyPreserveHost On", "proxy_set_header Host", "--trusted-proxy"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %s is missing", err, want)
		}
	}
	if reason := status.Reason(err); status.Of(err) != 502 || strings.Contains(reason, "backend") {
		t.Errorf("%d, the client sees %q", status.Of(err), reason)
	}
}
