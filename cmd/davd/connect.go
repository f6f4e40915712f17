package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/cmd/davd/internal/client/netrc"
	"github.com/davd/davd/cmd/davd/internal/client/terminal"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav/davclient"
)

// connect prepares a session with the server of ref. No request is sent.
func connect(ctx context.Context, p *program, o *clientOptions, ref *url.URL) (*client.Session, error) {
	// net/http's HTTP/2 client writes protocol errors to the standard logger.
	log.SetOutput(io.Discard)
	transport, err := newTransport(o.caCert)
	if err != nil {
		return nil, err
	}
	user, err := logIn(ctx, o.user, ref, p.stderr)
	if err != nil {
		return nil, err
	}
	remote, err := davclient.New(ref.String())
	if err != nil {
		return nil, usagef("%w", err)
	}
	remote.User, remote.Transport, remote.UserAgent = user, transport, "davd/"+version()
	return &client.Session{Client: remote, Out: p.stdout, Err: p.stderr, Meter: newMeter(o.progress, p.stderr), Colour: terminal.Colours(p.stdout), Options: o.Options}, nil
}

const (
	// Without a terminal, the first line of progress is written after firstLine and the
	// following ones every everyLine. With --progress always, the first line is written
	// immediately and the following ones every alwaysLine.
	firstLine  = 2 * time.Second
	everyLine  = 10 * time.Second
	alwaysLine = time.Second
)

// newMeter returns a Meter that shows progress, or nil if none should be shown.
func newMeter(when string, w io.Writer) *meter.Meter {
	file, _ := w.(*os.File)
	switch wide := terminal.Width(file) > 0; {
	case when == "never":
		return nil
	case wide:
		return meter.Bar(w, func() int { return terminal.Width(file) })
	case when == "auto":
		return meter.Lines(w, firstLine, everyLine)
	}
	return meter.Lines(w, 0, alwaysLine)
}

// newTransport returns a transport that also trusts the certificates in the PEM file. It
// returns nil, for the default transport, if file is empty.
func newTransport(file string) (http.RoundTripper, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // the default
	}
	pool, _, err := config.Trusting(file)
	if err != nil {
		return nil, fmt.Errorf("--cacert: %w", err)
	}
	own := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	own.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return own, nil
}

// logIn returns the name and password to log in with. The name comes from --user, the URL
// or .netrc; the password from there, from DAVD_PASSWORD or from the terminal. It returns
// nil without a name.
func logIn(ctx context.Context, flag string, ref *url.URL, stderr io.Writer) (*url.Userinfo, error) {
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
	password, err = terminal.ReadPassword(ctx, os.Stdin, stderr, "Password for "+name+" at "+ref.Host+": ")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, usagef("--user: the password of %s is missing, and there is no terminal to ask for it: set DAVD_PASSWORD", name)
	}
	return url.UserPassword(name, password), nil
}
