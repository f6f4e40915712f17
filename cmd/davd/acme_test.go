package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/certificates"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
)

// authority is a certification authority for tests, Let's Encrypt's pebble. It validates names at
// these ports of this machine.
type authority struct {
	*testing.T
	httpPort, tlsPort int
	directory         string
	root              string // a PEM file, to connect to the authority
	issuers           *x509.CertPool
}

// startAuthority starts an authority whose certificates are valid for this long.
func startAuthority(t *testing.T, validity time.Duration) *authority {
	t.Helper()
	dir := t.TempDir()
	pebble := filepath.Join(dir, "pebble")
	build := exec.CommandContext(t.Context(), "go", "build", "-modfile=../../.ci/tools/go.mod", "-o", pebble, "github.com/letsencrypt/pebble/v2/cmd/pebble")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("pebble can't be built: %v\n%s", err, out)
	}
	cert, key := selfSigned(t)
	a := &authority{T: t, httpPort: freePort(t), tlsPort: freePort(t), root: cert}
	listen, manage := fmt.Sprint("localhost:", freePort(t)), fmt.Sprint("localhost:", freePort(t))
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": manage, "certificate": cert, "privateKey": key,
		"httpPort": a.httpPort, "tlsPort": a.tlsPort, "retryAfter": map[string]int{"authz": 1, "order": 1},
		"keyAlgorithm": "ecdsa",
		"profiles":     map[string]any{"default": map[string]any{"description": "short", "validityPeriod": int(validity.Seconds())}},
	}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "pebble.json"), settings, 0o600))
	cmd := exec.CommandContext(t.Context(), pebble, "-config", filepath.Join(dir, "pebble.json"))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	a.directory = "https://" + listen + "/dir"
	a.issuers = a.fetchRoot("https://" + manage + "/roots/0")
	return a
}

// fetchRoot waits until the authority answers, and returns the root of its certificates.
func (a *authority) fetchRoot(url string) *x509.CertPool {
	a.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		answer, err := client.Get(url)
		if err == nil {
			root, err := io.ReadAll(answer.Body)
			must(a.T, err)
			answer.Body.Close()
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(root) {
				a.Fatalf("%s is no certificate", root)
			}
			return pool
		}
		if time.Now().After(deadline) {
			a.Fatal(err)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return tcpAddr(t, l).Port
}

func tcpAddr(t *testing.T, l net.Listener) *net.TCPAddr {
	t.Helper()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("%v is no TCP address", l.Addr())
	}
	return addr
}

// certificate returns the certificate that a new connection gets, as soon as there is one that the
// authority has signed and that accept likes.
func (a *authority) certificate(addr string, accept func(*x509.Certificate) bool) *x509.Certificate {
	a.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "localhost", RootCAs: a.issuers, NextProtos: []string{"h2", "http/1.1"}})
		if err == nil {
			cert := conn.ConnectionState().PeerCertificates[0]
			conn.Close()
			if accept(cert) {
				return cert
			}
		}
		if time.Now().After(deadline) {
			a.Fatalf("no certificate: %v", err)
		}
	}
}

func any509(*x509.Certificate) bool { return true }

// TestACME checks that davd obtains a certificate with each challenge, and has it after a restart
// without asking again. Other requests at the port for challenges are sent to HTTPS.
func TestACME(t *testing.T) {
	a := startAuthority(t, time.Hour)
	for _, challenge := range []string{"TLS-ALPN-01", "HTTP-01"} {
		t.Run(challenge, func(t *testing.T) {
			state, dir := t.TempDir(), t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o600))
			addr := fmt.Sprint("127.0.0.1:", a.tlsPort)
			args := []string{"serve", "--addr", addr, "--acme-domain", "localhost", "--acme-email", "ann@example.org", "--acme-ca", a.directory, "--acme-ca-root", a.root, "--state", state}
			if challenge == "HTTP-01" {
				addr = fmt.Sprint("127.0.0.1:", freePort(t)) // where the authority doesn't look
				args[2] = addr
				args = append(args, "--acme-http", fmt.Sprint("127.0.0.1:", a.httpPort))
			}
			var log bytes.Buffer
			run := func() (stop func()) {
				cmd := exec.CommandContext(t.Context(), "davd", append(args, dir)...)
				cmd.Stdout, cmd.Stderr = &log, &log
				must(t, cmd.Start())
				return func() {
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
				}
			}
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(log.String())
				}
			})
			stop := run()
			first := (&authority{T: t, issuers: a.issuers}).certificate(addr, any509)
			if challenge == "HTTP-01" {
				client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				answer, err := client.Get(fmt.Sprintf("http://localhost:%d/f?x", a.httpPort))
				must(t, err)
				answer.Body.Close()
				_, port, _ := net.SplitHostPort(addr)
				if want := "https://localhost:" + port + "/f?x"; answer.StatusCode != http.StatusPermanentRedirect || answer.Header.Get("Location") != want {
					t.Errorf("%s, %q; want %q", answer.Status, answer.Header.Get("Location"), want)
				}
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.issuers}, ForceAttemptHTTP2: true}}
			_, port, _ := net.SplitHostPort(addr)
			answer, err := client.Get("https://localhost:" + port + "/f")
			must(t, err)
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			client.CloseIdleConnections()
			if err != nil || string(body) != "content" || answer.ProtoMajor != 2 {
				t.Errorf("%s %s %q, %v", answer.Proto, answer.Status, body, err)
			}
			stop()
			if !bytes.Contains(log.Bytes(), []byte("davd has a new certificate")) {
				t.Error("the log does not tell of the certificate")
			}
			defer run()()
			if again := (&authority{T: t, issuers: a.issuers}).certificate(addr, any509); !again.Equal(first) {
				t.Error("after a restart, there is another certificate")
			}
		})
	}
}

// TestACMERenewal checks that a certificate is renewed, and that the next handshake uses the new one.
func TestACMERenewal(t *testing.T) {
	a := startAuthority(t, time.Hour)
	listeners, err := server.Listen(t.Context(), []config.Addr{{Network: "tcp", Address: fmt.Sprint("127.0.0.1:", a.tlsPort)}})
	must(t, err)
	root, err := os.ReadFile(a.root)
	must(t, err)
	trusted := x509.NewCertPool()
	block, _ := pem.Decode(root)
	ca, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	trusted.AddCert(ca)
	acme := &certificates.ACME{
		Domains: []string{"localhost"}, CA: a.directory, Roots: trusted, Dir: t.TempDir(), TLS: tcpAddr(t, listeners[0]),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), CheckEvery: 200 * time.Millisecond, Window: 0.999,
	}
	acme.Open()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		srv := &server.Server{Handler: http.NotFoundHandler(), TLS: acme.Config(), Log: slog.New(slog.DiscardHandler)}
		served <- srv.Serve(ctx, listeners)
	}()
	must(t, acme.Start(ctx))
	first := a.certificate(listeners[0].Addr().String(), any509)
	second := a.certificate(listeners[0].Addr().String(), func(cert *x509.Certificate) bool { return !cert.Equal(first) })
	if !second.NotAfter.After(first.NotAfter) {
		t.Errorf("the new certificate ends at %v, the old one at %v", second.NotAfter, first.NotAfter)
	}
	acme.Close()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
