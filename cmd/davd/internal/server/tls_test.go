package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/cmd/davd/internal/server"
)

// writeCertificate writes a new certificate with this serial number, and its key.
func writeCertificate(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	write(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCertificate: changed files count a second later, and files that can't be used never.
func TestCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		writeCertificate(t, dir, 1)
		var log bytes.Buffer
		var refused error
		c, err := server.LoadTLS(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), func() error { return refused }, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		config := c.Config()
		wants := func(serial int64, logged string) {
			t.Helper()
			cert, err := config.GetCertificate(&tls.ClientHelloInfo{})
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(cert.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := leaf.SerialNumber.Int64(); got != serial {
				t.Errorf("the certificate has the number %d, want %d", got, serial)
			}
			if text := log.String(); logged == "" && text != "" || !strings.Contains(text, logged) {
				t.Errorf("logged %q, want %q", text, logged)
			}
			log.Reset()
		}
		wants(1, "")
		writeCertificate(t, dir, 2)
		wants(1, "") // so often davd doesn't look
		time.Sleep(time.Second)
		wants(2, "uses the changed certificate")
		write(t, filepath.Join(dir, "key.pem"), []byte("half"))
		time.Sleep(time.Second)
		wants(2, "can't be used")
		time.Sleep(time.Second)
		wants(2, "") // logged once
		writeCertificate(t, dir, 3)
		refused = errors.New("in the share")
		if err := c.Reload(); !errors.Is(err, refused) {
			t.Errorf("Reload: %v", err)
		}
		wants(2, "in the share")
		refused = nil
		if err := c.Reload(); err != nil {
			t.Error(err)
		}
		wants(3, "uses the changed certificate")
	})
}
