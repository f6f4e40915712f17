package config

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Trusting returns the certificates that the system trusts, together with those in a PEM file, and
// the content of the file. A system without certificates is no error.
func Trusting(file string) (pool *x509.CertPool, content []byte, err error) {
	content, err = os.ReadFile(file)
	if err != nil {
		return nil, nil, fileError(file, err)
	}
	pool, err = x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(content) {
		return nil, nil, fmt.Errorf("%s has no certificate in PEM format", file)
	}
	return pool, content, nil
}
