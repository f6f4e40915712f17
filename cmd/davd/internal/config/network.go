package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/davd/davd/cmd/davd/internal/crossorigin"
)

// Network has the options of connections, and of requests before they reach the files.
type Network struct {
	// SelfSigned makes davd use a certificate of its own.
	SelfSigned bool
	// ACME says how to obtain certificates from an authority.
	ACME ACME
	// ProxyProtocol are the networks of proxies that name the client with the PROXY protocol.
	ProxyProtocol []netip.Prefix
	// Origins are those whose web pages may use the server.
	Origins crossorigin.Origins
	// Connections is how many connections may be open.
	Connections Connections
	// RatePerAddress and RatePerUser are how many requests per second one may send, 0 for no limit.
	RatePerAddress, RatePerUser int
	// HeaderTimeout is how long the header of a request may take.
	HeaderTimeout time.Duration
}

// ACME says how certificates are obtained with the protocol of RFC 8555. Without Domains, none are.
type ACME struct {
	Domains []string
	// Email may be empty. CA is the URL of the authority's directory; empty means Let's Encrypt.
	Email, CA string
	// CARoot is a PEM file with certificates to trust when connecting to CA, or "".
	CARoot string
	// HTTP has at most one address, that for HTTP-01 challenges.
	HTTP []Addr
}

// Connections limits the open connections: All together, and Of one address.
type Connections struct{ All, Of int }

// TLS reports whether connections are encrypted.
func (c *Config) TLS() bool {
	return c.TLSCert != "" || c.Network.SelfSigned || len(c.Network.ACME.Domains) > 0
}

// ACMERoots returns the certificates to trust when connecting to the authority, or nil for those
// of the system.
func (c *Config) ACMERoots() (*x509.CertPool, error) {
	if c.Network.ACME.CARoot == "" {
		return nil, nil //nolint:nilnil // those of the system
	}
	pool, _, err := Trusting(c.Network.ACME.CARoot)
	if err != nil {
		return nil, c.wrongf("acme-ca-root", "%w", err)
	}
	return pool, nil
}

// checkTLS checks settings about certificates that depend on each other.
func (c *Config) checkTLS() error {
	own, acme := c.Network.SelfSigned, c.Network.ACME
	switch {
	case c.TLSCert == "" && c.TLSKey != "":
		return c.wrongf("tls-cert", "missing, but --tls-key is set: name the file of the certificate as well")
	case c.TLSCert != "" && c.TLSKey == "":
		return c.wrongf("tls-cert", "the key is missing: name its file with --tls-key")
	case own && c.TLSCert != "":
		return c.wrongf("tls", "self-signed contradicts --tls-cert %s: leave out one of the two", c.TLSCert)
	case len(acme.Domains) > 0 && own:
		return c.wrongf("acme-domain", "contradicts --tls self-signed: leave out one of the two")
	case len(acme.Domains) > 0 && c.TLSCert != "":
		return c.wrongf("acme-domain", "contradicts --tls-cert %s: leave out one of the two", c.TLSCert)
	case len(acme.Domains) > 0 && (c.State.Memory || c.Storage.Kind == Mem):
		return c.wrongf("acme-domain", "the certificate has to be kept, but the state is in memory: name a directory with --state")
	case acme.CA == "" && slices.ContainsFunc(acme.Domains, isPrivate):
		return c.wrongf("acme-domain", "Let's Encrypt only has certificates for public host names: name one, or use --tls self-signed")
	case len(acme.HTTP) > 1:
		return c.wrongf("acme-http", "has several addresses: write the one that the authority reaches at port 80")
	case len(acme.Domains) > 0:
		return nil
	}
	for name, given := range map[string]bool{"acme-email": acme.Email != "", "acme-ca": acme.CA != "", "acme-ca-root": acme.CARoot != "", "acme-http": len(acme.HTTP) > 0} {
		if given {
			return c.wrongf(name, "has no effect without --acme-domain: add the host name that clients use")
		}
	}
	return nil
}

// privateNames end the names of machines that the public can't look up (RFC 6761, 6762, 8375).
var privateNames = [...]string{".localhost", ".local", ".internal", ".home.arpa", ".lan"}

// isPrivate reports whether no public authority can have a certificate for the host name.
func isPrivate(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || !strings.Contains(host, ".") || slices.ContainsFunc(privateNames[:], func(end string) bool { return strings.HasSuffix(host, end) })
}

// parseTLS accepts self-signed.
func parseTLS(s string) (bool, error) {
	if s != "self-signed" {
		return false, fmt.Errorf("unknown value %q: write self-signed, or leave it out and set --tls-cert or --acme-domain", s)
	}
	return true, nil
}

// parseCA parses the URL of a certification authority.
func parseCA(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", errors.New("it must be the https:// URL of the directory of an ACME server")
	}
	return s, nil
}

// parseOrigin parses an origin (RFC 6454 §6.2), or *. Applications have schemes of their own.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case s == "*":
		return s, nil
	case err != nil || u.Scheme == "" || u.Host == "" || s != u.Scheme+"://"+u.Host:
		return "", fmt.Errorf("%q is not an origin: write scheme and host as the browser does, such as https://app.example or app://obsidian.md, or * for all", s)
	}
	return strings.ToLower(s), nil
}

// parseHTTP parses an address for HTTP-01 challenges.
func parseHTTP(s string) (Addr, error) {
	addr, err := ParseAddr(s)
	if err == nil && addr.Network != "tcp" {
		return Addr{}, fmt.Errorf("%q is no TCP address: write :80, for example", s)
	}
	return addr, err
}
