package certificates

import (
	"crypto/ecdsa"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestSelfSigned checks that a certificate is kept over restarts, covers all names, and is replaced
// with the same key before it ends, without a restart.
func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	synctest.Test(t, func(t *testing.T) {
		open := func(names ...string) *SelfSigned {
			t.Helper()
			s, err := NewSelfSigned(dir, names, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first := open("nas.example")
		for _, name := range []string{"nas.example", "localhost", "127.0.0.1"} {
			if err := first.current.Load().Leaf.VerifyHostname(name); err != nil {
				t.Error(err)
			}
		}
		if again := open("nas.example"); again.Fingerprint() != first.Fingerprint() {
			t.Error("a restart changes the certificate")
		}
		second := open("nas.example", "other.example")
		if second.Fingerprint() == first.Fingerprint() || !sameKey(first, second) {
			t.Error("another name needs a new certificate with the same key")
		}
		before := second.Fingerprint()
		get := second.Config().GetCertificate
		time.Sleep(validFor - renewBefore - time.Hour)
		if _, err := get(&tls.ClientHelloInfo{}); err != nil || second.Fingerprint() != before {
			t.Errorf("replaced too early, error %v", err)
		}
		time.Sleep(2 * time.Hour)
		cert, err := get(&tls.ClientHelloInfo{})
		if err != nil || second.Fingerprint() == before || !sameKey(first, second) || time.Until(cert.Leaf.NotAfter) != validFor {
			t.Errorf("not replaced in time: %v, error %v", cert.Leaf.NotAfter, err)
		}
		if kept := open("nas.example"); kept.Fingerprint() != second.Fingerprint() {
			t.Error("the new certificate is not kept")
		}
	})
	info, err := os.Stat(filepath.Join(dir, "self-signed.key"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v; want a file that others can't read", info, err)
	}
}

// TestSelfSignedReadOnly checks that a certificate that can't be replaced is used on.
func TestSelfSignedReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "tls")
		s, err := NewSelfSigned(dir, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		before := s.Fingerprint()
		time.Sleep(validFor - time.Hour)
		if cert, err := s.Config().GetCertificate(&tls.ClientHelloInfo{}); err != nil || cert == nil || s.Fingerprint() != before {
			t.Errorf("%v, %v", cert, err)
		}
	})
}

func sameKey(a, b *SelfSigned) bool {
	one, ok := a.current.Load().PrivateKey.(*ecdsa.PrivateKey)
	return ok && one.Equal(b.current.Load().PrivateKey)
}
