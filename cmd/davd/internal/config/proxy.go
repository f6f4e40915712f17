package config

import (
	"crypto/tls"
	"net/url"
	"slices"
	"time"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// Upstream says how a reverse proxy reaches its server.
type Upstream struct {
	// URL is that of the collection that is served.
	URL *url.URL
	// Timeout is how long the upstream may take for the header of an answer.
	Timeout time.Duration
	// CA is a PEM file with certificates to trust in addition to those of the system; ""
	// without one.
	CA string
	// Insecure accepts any certificate.
	Insecure bool
}

// NewProxy returns a Config for a reverse proxy, without values. It has the settings of a
// server that don't concern files.
func NewProxy() *Config {
	c := &Config{anew: NewProxy, proxy: true}
	c.settings = slices.Concat(
		setting.Group("Configuration", c.file()),
		setting.Group("Upstream", c.upstream()...),
		setting.Group("Network", c.network()...),
		setting.Group("Users", leaveOut(c.users(), "anonymous")...),
		setting.Group("Long operations", leaveOut(c.operations(), "propfind-infinity", "listings-at-once", "listings-per-user", "on-disconnect")...),
		setting.Group("Interim responses", c.interim()...),
		setting.Group("Metrics", c.monitoring()...),
		setting.Group("Log, on standard error", c.log()...),
	)
	c.Setting("config").Help = "read settings from this file (default: none)"
	c.Setting("prefix").Help = "serve the upstream's collection below this URL path (default: at the root)"
	c.Setting("htpasswd").Help = "ask for a password, let in the users in this file, and don't pass their passwords on to the upstream; create it with htpasswd -B; davd notices changes (default: the upstream asks for passwords)"
	c.Setting("host").Help = "while other machines can't reach davd, accept requests for this host name; then davd only accepts localhost, IP addresses, the names in --addr and these, to protect against hostile web pages (DNS rebinding); can be a list (default: none)"
	return c
}

// leaveOut returns the settings without those with the names.
func leaveOut(settings []*setting.Setting, names ...string) []*setting.Setting {
	return slices.DeleteFunc(settings, func(s *setting.Setting) bool { return slices.Contains(names, s.Name) })
}

func (c *Config) upstream() []*setting.Setting {
	u := &c.Upstream
	return []*setting.Setting{
		setting.New("upstream-timeout", "TIME", "24h", setting.Value(&u.Timeout, aboveZero),
			"how long the upstream may take until it begins to answer; after that, davd answers 504"),
		setting.New("upstream-ca", "FILE", "", setting.File(&u.CA),
			"trust the certificates in this PEM file as well, such as the self-signed one of a NAS (default: only those that the system trusts)"),
		setting.New("upstream-insecure", "", "", setting.Switch(&u.Insecure),
			"accept any certificate of the upstream; whoever is between it and davd can then read and change everything"),
	}
}

// ReadProxy is Load for a Config of NewProxy, with the URL of the upstream. No file is read by
// default.
func (c *Config) ReadProxy(upstream *url.URL) error {
	c.Upstream.URL = upstream
	return c.Load("")
}

// checkUpstream checks settings of the upstream that depend on each other.
func (c *Config) checkUpstream() error {
	plain := c.Upstream.URL != nil && c.Upstream.URL.Scheme == "http"
	switch {
	case c.Upstream.Insecure && c.Upstream.CA != "":
		return c.wrongf("upstream-insecure", "contradicts --upstream-ca %s, which says what to trust: leave out one of the two", c.Upstream.CA)
	case plain && c.Upstream.Insecure:
		return c.wrongf("upstream-insecure", noTLS)
	case plain && c.Upstream.CA != "":
		return c.wrongf("upstream-ca", noTLS)
	}
	return nil
}

const noTLS = "has no effect with an upstream without TLS: leave it out, or write https:// in the URL"

// UpstreamTLS returns how the upstream's certificate is checked.
func (c *Config) UpstreamTLS() (*tls.Config, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Upstream.Insecure} //nolint:gosec // the operator asked for it
	if c.Upstream.CA == "" {
		return secure, nil
	}
	var err error
	if secure.RootCAs, _, err = Trusting(c.Upstream.CA); err != nil {
		return nil, c.wrongf("upstream-ca", "%w", err)
	}
	return secure, nil
}
