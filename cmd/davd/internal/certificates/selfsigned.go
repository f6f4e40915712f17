// Package certificates makes certificates, and obtains them from a certification authority.
package certificates

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// validFor is how long a self-signed certificate is valid. Apple's systems accept 825 days at
	// most, even if the user trusts the certificate.
	validFor = 800 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
	// retryAfter is the time between two attempts to replace it.
	retryAfter = time.Hour
)

// SelfSigned is a certificate that no authority has signed. A user has to compare its fingerprint,
// or trust the file.
type SelfSigned struct {
	names []string
	// certFile and keyFile are "" if the certificate is kept in memory.
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]

	mu sync.Mutex
	// tried is when davd last tried to replace the certificate.
	tried time.Time
}

// NewSelfSigned returns the certificate in dir for the host names and this machine. dir is created
// if it is missing. If it has no certificate, or one that ends soon or lacks a name, there will be a
// new one, with the same key. If dir is empty, the certificate is lost when the program ends.
func NewSelfSigned(dir string, names []string, log *slog.Logger) (*SelfSigned, error) {
	s := &SelfSigned{names: names, log: log}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("the self-signed certificate can't be kept: %w", err)
		}
		s.certFile, s.keyFile = filepath.Join(dir, "self-signed.crt"), filepath.Join(dir, "self-signed.key")
		cert, err := tls.LoadX509KeyPair(s.certFile, s.keyFile)
		switch {
		case err == nil:
			s.current.Store(&cert)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("the self-signed certificate in %s can't be used (%w): remove it, and davd makes a new one", dir, err)
		}
	}
	if cert := s.current.Load(); cert == nil || s.ends(cert, time.Now()) || !s.covers(cert) {
		if err := s.renew(time.Now()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ends reports whether cert must be replaced because it ends soon.
func (s *SelfSigned) ends(cert *tls.Certificate, now time.Time) bool {
	return cert.Leaf.NotAfter.Sub(now) < renewBefore
}

// covers reports whether cert has all names. The addresses of the machine don't count, because they
// may change often.
func (s *SelfSigned) covers(cert *tls.Certificate) bool {
	for _, name := range s.names {
		if cert.Leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

// Config returns a configuration with the certificate, which is replaced before it ends.
func (s *SelfSigned) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if now := time.Now(); s.ends(s.current.Load(), now) && s.mu.TryLock() {
				defer s.mu.Unlock()
				s.replaceLocked(now)
			}
			return s.current.Load(), nil
		},
	}
}

func (s *SelfSigned) replaceLocked(now time.Time) {
	if now.Sub(s.tried) < retryAfter || !s.ends(s.current.Load(), now) {
		return
	}
	s.tried = now
	if err := s.renew(now); err != nil {
		s.log.Error("the self-signed certificate ends soon, and davd can't replace it", "ends", s.current.Load().Leaf.NotAfter, "err", err)
		return
	}
	s.log.Warn("davd has replaced its self-signed certificate: clients will ask about it", "sha256", s.Fingerprint())
}

// Fingerprint returns the SHA-256 hash of the certificate as clients show it.
func (s *SelfSigned) Fingerprint() string {
	hash := sha256.Sum256(s.current.Load().Leaf.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", hash), " ", ":")
}

// renew makes a new certificate, with the key of the present one, and keeps it.
func (s *SelfSigned) renew(now time.Time) error {
	key, err := s.key()
	if err != nil {
		return err
	}
	template, err := s.template(now)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if err := s.keep(key, der); err != nil {
		return fmt.Errorf("the self-signed certificate can't be kept: %w", err)
	}
	s.current.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf})
	return nil
}

func (s *SelfSigned) key() (*ecdsa.PrivateKey, error) {
	if cert := s.current.Load(); cert != nil {
		if key, ok := cert.PrivateKey.(*ecdsa.PrivateKey); ok {
			return key, nil
		}
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// template returns the content of a certificate for the names, localhost and the addresses of this
// machine.
func (s *SelfSigned) template(now time.Time) (*x509.Certificate, error) {
	t := &x509.Certificate{
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validFor),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("the addresses of this machine are unknown: %w", err)
	}
	for _, addr := range addrs {
		if network, ok := addr.(*net.IPNet); ok {
			t.IPAddresses = append(t.IPAddresses, network.IP)
		}
	}
	t.DNSNames = slices.Clone(s.names)
	if !slices.Contains(t.DNSNames, "localhost") {
		t.DNSNames = append(t.DNSNames, "localhost")
	}
	t.Subject = pkix.Name{CommonName: t.DNSNames[0], Organization: []string{"davd, self-signed"}}
	return t, nil
}

// keep writes the files. A file is the old one or the new one, whole.
func (s *SelfSigned) keep(key *ecdsa.PrivateKey, der []byte) error {
	if s.certFile == "" {
		return nil
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name, kind string
		content    []byte
		mode       fs.FileMode
	}{{s.keyFile, "PRIVATE KEY", private, 0o600}, {s.certFile, "CERTIFICATE", der, 0o644}} {
		content := pem.EncodeToMemory(&pem.Block{Type: file.kind, Bytes: file.content})
		if old, err := os.ReadFile(file.name); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := os.WriteFile(file.name+".new", content, file.mode); err != nil {
			return err
		}
		if err := os.Rename(file.name+".new", file.name); err != nil {
			return err
		}
	}
	return nil
}
