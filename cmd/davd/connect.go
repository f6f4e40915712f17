package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/cmd/davd/internal/client/netrc"
	"github.com/davd/davd/cmd/davd/internal/client/terminal"
	"github.com/davd/davd/dav/davclient"
)

// connect prepares a session with the server of ref. No request is sent.
func (p *program) connect(c *cli.Context, ref *url.URL) (*client.Session, error) {
	// net/http's HTTP/2 client writes protocol errors to the standard logger.
	log.SetOutput(io.Discard)
	progress, err := p.meter(cmp.Or(c.String("progress"), "auto"))
	if err != nil {
		return nil, err
	}
	transport, err := transport(c.String("cacert"))
	if err != nil {
		return nil, err
	}
	user, err := p.user(c.Context, c.String("user"), ref)
	if err != nil {
		return nil, err
	}
	remote, err := davclient.New(ref.String())
	if err != nil {
		return nil, usagef("%w", err)
	}
	remote.User, remote.Transport, remote.UserAgent = user, transport, "davd/"+version()
	return &client.Session{Client: remote, Out: p.stdout, Err: p.stderr, Meter: progress}, nil
}

const (
	// Without a terminal, the first line of progress is written after firstLine and the
	// following ones every everyLine. With --progress always, the first line is written
	// immediately and the following ones every alwaysLine.
	firstLine  = 2 * time.Second
	everyLine  = 10 * time.Second
	alwaysLine = time.Second
)

// meter returns a Meter that shows progress, or nil if none should be shown.
func (p *program) meter(when string) (*meter.Meter, error) {
	file, _ := p.stderr.(*os.File)
	switch wide := terminal.Width(file) > 0; {
	case when != "auto" && when != "always" && when != "never":
		return nil, usagef("--progress: unknown value %q: write auto, always or never", when)
	case when == "never":
		return nil, nil //nolint:nilnil // a nil Meter shows nothing
	case wide:
		return meter.Bar(p.stderr, func() int { return terminal.Width(file) }), nil
	case when == "auto":
		return meter.Lines(p.stderr, firstLine, everyLine), nil
	}
	return meter.Lines(p.stderr, 0, alwaysLine), nil
}

// transport returns a transport that also trusts the certificates in the PEM file. It
// returns nil, for the default transport, if file is empty.
func transport(file string) (http.RoundTripper, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // the default
	}
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--cacert: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("--cacert: %s contains no PEM certificate", file)
	}
	own := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	own.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return own, nil
}

// user returns the name and password to log in with. The name comes from --user, the URL
// or .netrc; the password from there, from DAVD_PASSWORD or from the terminal. It returns
// nil if there is no name.
func (p *program) user(ctx context.Context, flag string, ref *url.URL) (*url.Userinfo, error) {
	name, password, whole := strings.Cut(flag, ":")
	if flag == "" && ref.User != nil {
		name = ref.User.Username()
		password, whole = ref.User.Password()
	}
	if whole {
		return url.UserPassword(name, password), nil
	}
	if password = os.Getenv("DAVD_PASSWORD"); name != "" && password != "" {
		return url.UserPassword(name, password), nil
	}
	login, found, err := netrc.Lookup(ref.Hostname(), name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("can't look up the password: %w", err)
	case found && login.User != "":
		return url.UserPassword(login.User, login.Password), nil
	case name == "":
		return nil, nil //nolint:nilnil // no credentials
	}
	password, err = terminal.ReadPassword(ctx, os.Stdin, p.stderr, "Password for "+name+" at "+ref.Host+": ")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, usagef("--user: the password of %s is missing, and there is no terminal to ask for it: set DAVD_PASSWORD", name)
	}
	return url.UserPassword(name, password), nil
}
