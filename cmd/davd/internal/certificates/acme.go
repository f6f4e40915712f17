package certificates

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/caddyserver/certmagic"
	"golang.org/x/net/netutil"
)

// ACME obtains certificates with the protocol of RFC 8555, and renews them.
type ACME struct {
	// Domains are the names in the certificates.
	Domains []string
	// Email is where the authority sends warnings; it may be empty.
	Email string
	// CA is the URL of the authority's directory. Empty means Let's Encrypt.
	CA string
	// Roots, if not nil, are trusted when connecting to the CA.
	Roots *x509.CertPool
	// Dir is where the account and the certificates are kept.
	Dir string
	// TLS is the address where davd accepts TLS connections. HTTP is the one where it answers
	// HTTP-01 challenges, or nil.
	TLS, HTTP *net.TCPAddr
	Log       *slog.Logger

	// CheckEvery is how often to look whether a certificate must be renewed, and Window in which part
	// of its life that is so, counted from its end. Zero means ten minutes, and a third.
	CheckEvery time.Duration
	Window     float64

	cache  *certmagic.Cache
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

// Open prepares a. No request is sent.
func (a *ACME) Open() {
	log := zapLogger(a.Log)
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		RenewCheckInterval: a.CheckEvery,
		Logger:             log,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage:            &certmagic.FileStorage{Path: a.Dir},
		DefaultServerName:  a.Domains[0],
		RenewalWindowRatio: a.Window,
		OnEvent:            a.note,
		Logger:             log,
	})
	template := certmagic.ACMEIssuer{
		CA: cmp.Or(a.CA, certmagic.LetsEncryptProductionCA), TestCA: cmp.Or(a.CA, certmagic.LetsEncryptStagingCA),
		Email: a.Email, Agreed: true, TrustedRoots: a.Roots,
		ListenHost: a.TLS.IP.String(), AltTLSALPNPort: a.TLS.Port,
		DisableHTTPChallenge: a.HTTP == nil,
		Logger:               log,
	}
	if a.HTTP != nil {
		template.AltHTTPPort = a.HTTP.Port
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, template)
	a.config.Issuers = []certmagic.Issuer{a.issuer}
}

// Start obtains the certificates that are missing, and renews them until Close is called. It
// returns immediately. The TLS listener must answer, because the authority connects to it.
func (a *ACME) Start(ctx context.Context) error { return a.config.ManageAsync(ctx, a.Domains) }

// Close stops renewing.
func (a *ACME) Close() { a.cache.Stop() }

// Config returns a configuration with the certificates, which answers TLS-ALPN-01 challenges (RFC
// 8737).
func (a *ACME) Config() *tls.Config {
	config := a.config.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	return config
}

const (
	// plainConnections is how many connections may be open at the address of HTTP-01 challenges, and
	// plainTimeout how long each request may take.
	plainConnections = 256
	plainTimeout     = 10 * time.Second
)

// ServeHTTP01 serves Challenges at l until stop is called.
func (a *ACME) ServeHTTP01(l net.Listener) (stop func()) {
	srv := &http.Server{
		Handler: a.Challenges(), ReadTimeout: plainTimeout, WriteTimeout: plainTimeout,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(netutil.LimitListener(l, plainConnections)); !errors.Is(err, http.ErrServerClosed) {
			a.Log.Error("davd no longer answers HTTP-01 challenges", "addr", l.Addr().String(), "err", err)
		}
	}()
	return func() {
		_ = srv.Close() // of a listener; the program ends
		<-done
	}
}

// Challenges answers HTTP-01 challenges (RFC 8555 §8.3), and sends other requests to the same
// address with HTTPS.
func (a *ACME) Challenges() http.Handler {
	return a.issuer.HTTPChallengeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !slices.Contains(a.Domains, host) {
			http.Error(w, "421 Misdirected Request: this server has no such name", http.StatusMisdirectedRequest)
			return
		}
		if a.TLS.Port != 443 {
			host = net.JoinHostPort(host, strconv.Itoa(a.TLS.Port))
		}
		// 308 keeps the method. A client that sent a password has already shown it.
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect) //nolint:gosec // host is one of a.Domains
	}))
}

// note logs what an operator wants to know. Details are at level debug.
func (a *ACME) note(_ context.Context, event string, data map[string]any) error {
	switch event {
	case "cert_obtained":
		a.Log.Info("davd has a new certificate", "domain", data["identifier"], "renewal", data["renewal"], "ca", data["issuer"])
	case "cert_failed":
		a.Log.Error("davd could not obtain a certificate, and tries again later", "domain", data["identifier"], "renewal", data["renewal"], "err", data["error"])
	}
	return nil
}
