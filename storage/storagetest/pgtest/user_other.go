//go:build !unix

package pgtest

import (
	"errors"
	"syscall"
)

// unprivileged fails: tests with PostgreSQL need Unix.
func unprivileged() (*syscall.SysProcAttr, func(path string) error, error) {
	return nil, nil, errors.ErrUnsupported
}
