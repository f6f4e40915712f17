package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// certificateEvery is the shortest time between two looks at the files of a certificate.
const certificateEvery = time.Second

// Certificate is a certificate and its key in PEM files. It notices when they change: it reads
// them at most once a second, when a connection begins. That works where notifications of the
// file system don't, as on NFS and in containers.
type Certificate struct {
	certFile, keyFile string
	check             func() error
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	looked            atomic.Int64 // when, in ns since 1970

	mu sync.Mutex
	// seen is the content of both files when they were last read, and failed why that could
	// not be used.
	seen   []byte
	failed string
}

// LoadTLS reads a certificate and its key. check, if not nil, is called each time they are
// read; if it returns an error, they are not used. If later files are invalid, that is
// logged, and the certificate stays as it was.
func LoadTLS(certFile, keyFile string, check func() error, log *slog.Logger) (*Certificate, error) {
	if check == nil {
		check = func() error { return nil }
	}
	c := &Certificate{certFile: certFile, keyFile: keyFile, check: check, log: log}
	content, cert, err := c.load()
	if err != nil {
		return nil, err
	}
	c.seen = content
	c.current.Store(cert)
	c.looked.Store(time.Now().UnixNano())
	return c, nil
}

// Config returns a configuration with the certificate, or nil for a nil Certificate.
func (c *Certificate) Config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.look(time.Now())
			return c.current.Load(), nil
		},
	}
}

// Reload reads the files now. If they are invalid, the certificate stays as it was. It does
// nothing for a nil Certificate.
func (c *Certificate) Reload() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reloadLocked()
}

// look reads the files if that was last done a while ago. While one connection does that, others
// get the certificate that is known.
func (c *Certificate) look(now time.Time) {
	if now.UnixNano()-c.looked.Load() < int64(certificateEvery) || !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	_ = c.reloadLocked() // is logged
	c.looked.Store(now.UnixNano())
}

func (c *Certificate) reloadLocked() error {
	content, cert, err := c.load()
	switch {
	case err != nil:
		if text := err.Error(); text != c.failed {
			c.failed = text
			c.log.Error("the changed certificate can't be used; davd goes on with the one before", "err", err)
		}
		return err
	case bytes.Equal(content, c.seen) && c.failed == "":
		return nil
	case !bytes.Equal(content, c.seen):
		c.log.Info("davd uses the changed certificate", "file", c.certFile)
	}
	c.seen, c.failed = content, ""
	c.current.Store(cert)
	return nil
}

// load reads the files. content is that of both.
func (c *Certificate) load() (content []byte, _ *tls.Certificate, err error) {
	certPEM, err := readPEM("--tls-cert", c.certFile)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := readPEM("--tls-key", c.keyFile)
	if err != nil {
		return nil, nil, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("--tls-cert %s and --tls-key %s: not a PEM certificate with its key (%w): name a pair that belongs together", c.certFile, c.keyFile, err)
	}
	return append(append(certPEM, 0), keyPEM...), &cert, c.check()
}

func readPEM(flag, file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	switch {
	case err == nil:
		return data, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s %s: no such file: name one that exists", flag, file)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s %s: davd lacks permission to read it: grant that, or name another file", flag, file)
	}
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrapped.Err
	}
	return nil, fmt.Errorf("%s %s: can't be read (%w): name a PEM file", flag, file, err)
}
