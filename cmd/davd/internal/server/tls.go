package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// LoadTLS reads a certificate and its key from PEM files.
func LoadTLS(certFile, keyFile string) (*tls.Config, error) {
	certPEM, err := readPEM("--tls-cert", certFile)
	if err != nil {
		return nil, err
	}
	keyPEM, err := readPEM("--tls-key", keyFile)
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s and --tls-key %s: not a PEM certificate with its key (%w): name a pair that belongs together", certFile, keyFile, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
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
