package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/davd/davd/cmd/davd/internal/certificates"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
)

// encryption is where the certificate of a server comes from: one of the fields, or none if
// connections are not encrypted.
type encryption struct {
	cfg        *config.Config
	log        *slog.Logger
	files      *server.Certificate
	selfSigned *certificates.SelfSigned
	acme       *certificates.ACME
}

// openEncryption reads or makes the certificate. database is the path of that of the state, or empty.
func openEncryption(ctx context.Context, cfg *config.Config, database string, log *slog.Logger) (*encryption, error) {
	e := &encryption{cfg: cfg, log: log}
	network := &cfg.Network
	var err error
	switch {
	case cfg.TLSCert != "":
		e.files, err = server.LoadTLS(cfg.TLSCert, cfg.TLSKey, func() error { return checkTLS(ctx, cfg) }, log)
	case network.SelfSigned:
		dir := ""
		if !cfg.State.Memory {
			if dir, err = secretsDir(database, "tls"); err != nil {
				return nil, err
			}
		}
		e.selfSigned, err = certificates.NewSelfSigned(dir, cfg.Hosts, log)
	case len(network.ACME.Domains) > 0:
		e.acme = &certificates.ACME{Domains: network.ACME.Domains, Email: network.ACME.Email, CA: network.ACME.CA, Log: log}
		if e.acme.Dir, err = secretsDir(database, "acme"); err != nil {
			return nil, err
		}
		e.acme.Roots, err = cfg.ACMERoots()
	}
	return e, err
}

// secretsDir returns the directory for secrets of this kind: one beside the database of the state, or
// in the default directory of the state.
func secretsDir(database, kind string) (string, error) {
	if database != "" {
		return filepath.Join(filepath.Dir(database), kind), nil
	}
	dir, err := state.DefaultDir()
	return filepath.Join(dir, kind), err
}

// start begins to obtain certificates, and returns the configuration of connections, or nil without
// TLS. Call stop at the end.
func (e *encryption) start(ctx context.Context, listeners []*server.Listener) (_ *tls.Config, stop func(), err error) {
	switch {
	case e.files != nil:
		return e.files.Config(), func() {}, nil
	case e.selfSigned != nil:
		return e.selfSigned.Config(), func() {}, nil
	case e.acme != nil:
		return e.startACME(ctx, listeners)
	}
	return nil, func() {}, nil
}

// announce shows the fingerprint of a self-signed certificate, so that people can compare it.
func (e *encryption) announce(out io.Writer) {
	if e.selfSigned != nil {
		fmt.Fprintf(out, "davd: its certificate is self-signed, SHA-256 fingerprint %s\n", e.selfSigned.Fingerprint())
		e.log.Info("the certificate is self-signed", "sha256", e.selfSigned.Fingerprint())
	}
}

func (e *encryption) startACME(ctx context.Context, listeners []*server.Listener) (_ *tls.Config, stop func(), err error) {
	for _, l := range listeners {
		if addr, ok := l.Addr().(*net.TCPAddr); ok && e.acme.TLS == nil {
			e.acme.TLS = addr
		}
	}
	if e.acme.TLS == nil {
		return nil, nil, e.cfg.Setting("acme-domain").Wrong(errors.New("the authority can't reach a Unix socket: add a TCP address with --addr"))
	}
	plain, err := server.Listen(ctx, e.cfg.Network.ACME.HTTP)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range plain {
		e.acme.HTTP, _ = l.Addr().(*net.TCPAddr)
	}
	e.acme.Open()
	stopPlain := func() {}
	if len(plain) > 0 {
		stopPlain = e.acme.ServeHTTP01(plain[0])
	}
	stop = func() {
		stopPlain()
		e.acme.Close()
	}
	if err := e.acme.Start(ctx); err != nil {
		stop()
		return nil, nil, err
	}
	return e.acme.Config(), stop, nil
}

// reload reads the files of the certificate again.
func (e *encryption) reload() error {
	if e == nil || e.files == nil {
		return nil
	}
	return e.files.Reload()
}
