package auth

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
)

// TestUserHeader checks whose header is believed, and that no header gets behind it.
func TestUserHeader(t *testing.T) {
	users, _ := counted("right", "bob")
	const trusted, other, unix = "192.0.2.1:1", "198.51.100.1:1", "@"
	for _, tt := range []struct {
		name, remote  string
		header        http.Header
		user, groups  string
		ignored       string // text of the report
		withBobsLogin bool
	}{
		{"from the proxy", trusted, http.Header{"X-Remote-User": {"ann"}}, "ann", "", "", false},
		{"over a Unix socket", unix, http.Header{"X-Remote-User": {"ann"}}, "ann", "", "", false},
		{"with groups", trusted, http.Header{"X-Remote-User": {"zoë"}, "X-Remote-Groups": {"a, b,", " c,a b"}}, "zoë", "a|b|c|a b", "", false},
		{"instead of a password", trusted, http.Header{"X-Remote-User": {"ann"}}, "ann", "", "", true},
		{"none, with a password", trusted, http.Header{}, "bob", "", "", true},
		{"empty, with a password", trusted, http.Header{"X-Remote-User": {""}, "X-Remote-Groups": {"admin"}}, "bob", "", "", true},
		{"none", trusted, http.Header{}, "", "", "", false},
		{"groups without a name", trusted, http.Header{"X-Remote-Groups": {"admin"}}, "", "", "", false},
		{"from anyone", other, http.Header{"X-Remote-User": {"ann"}, "X-Remote-Groups": {"admin"}}, "", "", "not a trusted proxy", false},
		{"from anyone, with a password", other, http.Header{"X-Remote-User": {"ann"}, "X-Remote-Groups": {"admin"}}, "bob", "", "not a trusted proxy", true},
		{"groups from anyone", other, http.Header{"X-Remote-Groups": {"admin"}}, "bob", "", "not a trusted proxy", true},
		{"twice", trusted, http.Header{"X-Remote-User": {"ann", "bob"}}, "", "", "2 times", false},
		{"no name", trusted, http.Header{"X-Remote-User": {"a:b"}}, "", "", "no user name", false},
		{"not UTF-8", trusted, http.Header{"X-Remote-User": {"\xff"}}, "", "", "no user name", false},
		{"too long", trusted, http.Header{"X-Remote-User": {strings.Repeat("x", 256)}}, "", "", "no user name", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var user, groups, known, ignored string
			h := &UserHeader{
				Trusted: TrustedProxies{netip.MustParsePrefix("192.0.2.0/24")},
				Name:    "X-Remote-User", Groups: "X-Remote-Groups",
				Ignored: func(_ *http.Request, err error) { ignored = err.Error() },
				Next: &Handler{
					Verifier: users, Known: func(_ *http.Request, name string) { known = name },
					Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						user, groups = User(r), strings.Join(storage.GroupsOf(r.Context()), "|")
						if r.Header.Get("X-Remote-User") != "" || r.Header.Get("X-Remote-Groups") != "" || !Admitted(r) {
							t.Errorf("header %v, admitted %v", r.Header, Admitted(r))
						}
					}),
				},
			}
			ctx := t.Context()
			if tt.remote == unix {
				ctx = context.WithValue(ctx, http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Net: "unix"}))
			}
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
			r.RemoteAddr, r.Header = tt.remote, tt.header.Clone()
			if tt.withBobsLogin {
				r.SetBasicAuth("bob", "right")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			status := http.StatusOK
			if tt.user == "" {
				status = http.StatusUnauthorized
			}
			if w.Code != status || user != tt.user || known != tt.user || groups != tt.groups {
				t.Errorf("got %d, user %q, known %q, groups %q", w.Code, user, known, groups)
			}
			if (ignored != "") != (tt.ignored != "") || !strings.Contains(ignored, tt.ignored) {
				t.Errorf("reported %q", ignored)
			}
			if !slices.Equal(r.Header["X-Remote-User"], tt.header["X-Remote-User"]) {
				t.Error("the caller's header has changed")
			}
		})
	}
}
