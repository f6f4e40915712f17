package hosts

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// exchange sends request unchanged and returns the answer.
func exchange(t *testing.T, addr net.Addr, request string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func TestHandler(t *testing.T) {
	h := &Handler{
		Next:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		Names:   []string{"files.example"},
		Trusted: dav.TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")},
	}
	trusting := httptest.NewServer(h)
	t.Cleanup(trusting.Close)
	alone := *h
	alone.Trusted = nil
	server := httptest.NewServer(&alone)
	t.Cleanup(server.Close)
	for _, c := range []struct {
		host, fields string
		served       bool
	}{
		{"localhost", "", true},
		{"LOCALHOST:8080", "", true},
		{"localhost.", "", true},
		{"RFC 6761 §6.3: a.b.localhost:1", "", true},
		{"127.0.0.1", "", true},
		{"127.0.0.1:8080", "", true},
		{"192.0.2.1:8080", "", true},
		{"[::1]", "", true},
		{"[::1]:8080", "", true},
		{"[fe80::1%25eth0]:8080", "", true},
		{"RFC 9112 §3.2: ", "", true}, // no host, as in HTTP/1.0
		{"files.example", "", true},
		{"Files.Example.:8080", "", true},
		{"evil.example", "", false},
		{"evil.example:8080", "", false},
		{"localhost.evil.example", "", false},
		{"evillocalhost", "", false},
		{".localhost", "", false},
		{"evil.files.example", "", false},
		{"files.example.evil.example", "", false},
		{"127.0.0.1.evil.example", "", false},
		{"2130706433", "", false},
		{"0x7f.1", "", false},
		{"nas", "", false},
		// The host that a proxy forwards. A page in a browser on this machine could
		// send the same header.
		{"evil.example", "X-Forwarded-Host: localhost\r\n", false},
		{"evil.example", "Forwarded: host=localhost\r\n", false},
	} {
		host := c.host
		if _, rest, ok := strings.Cut(host, ": "); ok {
			host = rest
		}
		for _, method := range []string{"GET", "PUT", "OPTIONS", "PROPFIND"} {
			for _, s := range []*httptest.Server{server, trusting} {
				status, body := exchange(t, s.Listener.Addr(),
					fmt.Sprintf("%s / HTTP/1.1\r\nHost: %s\r\n%sContent-Length: 0\r\n\r\n", method, host, c.fields))
				switch {
				case c.served && status != http.StatusNoContent:
					t.Errorf("%s %q %q: got %d %s", method, c.host, c.fields, status, body)
				case !c.served && (status != http.StatusMisdirectedRequest || !strings.Contains(body, "--host ")):
					t.Errorf("%s %q %q: got %d %s", method, c.host, c.fields, status, body)
				}
			}
		}
	}
	// With a target in absolute form, Host is ignored (RFC 9112 §3.2.2).
	for target, want := range map[string]int{"http://evil.example/": 421, "http://localhost/": 204} {
		if status, _ := exchange(t, server.Listener.Addr(), "GET "+target+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); status != want {
			t.Errorf("%s: got %d", target, status)
		}
	}
	if status, _ := exchange(t, server.Listener.Addr(), "GET / HTTP/1.0\r\n\r\n"); status != http.StatusNoContent {
		t.Errorf("HTTP/1.0 without Host: got %d", status)
	}
	// X-Forwarded-Host is checked if a trusted proxy has sent it.
	for s, want := range map[*httptest.Server]int{trusting: 421, server: 204} {
		status, _ := exchange(t, s.Listener.Addr(), "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\n\r\n")
		if status != want {
			t.Errorf("through a proxy: got %d, want %d", status, want)
		}
	}
}

// TestUnix checks that any host is accepted at a Unix socket.
func TestUnix(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&Handler{Next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	if status, body := exchange(t, l.Addr(), "GET / HTTP/1.1\r\nHost: anything\r\n\r\n"); status != http.StatusOK {
		t.Errorf("got %d %s", status, body)
	}
}

// TestMisdirected checks that the text names the flag, and the host only if it is valid.
func TestMisdirected(t *testing.T) {
	for host, want := range map[string]string{
		"Evil.Example": "--host evil.example", "<script>": "--host NAME", "": "--host NAME", "zoë.example": "--host NAME",
	} {
		if got := misdirected(host).Error(); !strings.HasSuffix(got, want) {
			t.Errorf("%q: got %s", host, got)
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	h := &Handler{Next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/", http.NoBody)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
