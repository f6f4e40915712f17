package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The address at which the tests reach HAProxy without TLS.
const balancerAddress = "127.0.0.1:8000"

// plainFrontend lets the tests use the configuration of docs/cluster without TLS.
const plainFrontend = `
frontend plain
    bind ` + balancerAddress + `
    mode http
    timeout client 1h
    option forwardfor
    use_backend content if METH_GET
    default_backend davd
`

// startBalancer runs HAProxy with docs/cluster/haproxy.cfg unchanged, until the test ends. Nodes that
// don't run count as dead.
func startBalancer(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	config, err := filepath.Abs("../../docs/cluster/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain.cfg")
	ssl := filepath.Join(dir, "ssl")
	err = errors.Join(
		os.WriteFile(plain, []byte(plainFrontend), 0o600),
		os.Mkdir(ssl, 0o755),
		run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
			"-subj", "/CN=files.example.org", "-keyout", ssl+"/files.both.pem.key", "-out", ssl+"/files.both.pem"),
		unix.Mount(ssl, "/etc/ssl", "", unix.MS_BIND, ""),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount("/etc/ssl", unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	out := &output{}
	haproxy, err := startProcess(out, "/usr/sbin/haproxy", "-db", "-f", config, "-f", plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		haproxy.kill()
		if t.Failed() {
			t.Logf("HAProxy: %s", out)
		}
	})
	err = await(patience, haproxy, func() error {
		connection, err := net.DialTimeout("tcp", balancerAddress, time.Second)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return connection.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
}
