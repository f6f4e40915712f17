package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCaddy starts the Caddyfile of packaging/compose/cluster, with certificates of its own instead
// of public ones. A request always reaches a davd that lives.
func TestCaddy(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, 2)
	s := newSite(t, 2, newDatabase(t))
	s.plant(t, map[string]string{"file": "content"})
	s.start(t)
	dir := t.TempDir()
	text, err := os.ReadFile("../../packaging/compose/cluster/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(config, append([]byte("{\n\tlocal_certs\n\tskip_install_trust\n}\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	out := &output{}
	caddy, err := startProcess(out, "env", "HOME="+dir, "XDG_DATA_HOME="+dir, "caddy", "run", "--adapter", "caddyfile", "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		caddy.kill()
		if t.Failed() {
			t.Logf("Caddy: %s", out)
		}
	})
	w := newWire("https://files.example.org")
	w.client.Transport = &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:443")
		},
	}
	defer w.close()
	// A davd that was killed is left out after two seconds.
	ask := func(method, name, body string, want int) {
		t.Helper()
		err := await(30*time.Second, caddy, func() error {
			if a := w.send(t.Context(), longestRequest, method, name, nil, body); a.status != want {
				return fmt.Errorf("%s %s: status %d, want %d: %.200s", method, name, a.status, want, a.body)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask("GET", "/file", "", 200)
	ask("PUT", "/new", "1", 201)
	for _, n := range s.nodes {
		n.kill()
		ask("PUT", "/new", "2", 204)
		ask("GET", "/new", "", 200)
		if err := n.start(); err != nil {
			t.Fatal(err)
		}
		if err := n.ready(patience); err != nil {
			t.Fatal(err)
		}
	}
	s.stop(t)
	s.clean(t)
}
