//go:build !windows

package control

import (
	"errors"
	"io/fs"
	"syscall"
)

// notRunning reports whether a connection failed because no process listens.
func notRunning(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// private gives a socket its mode before it has a name, on systems that can. The mode
// is set again afterwards.
func private(_, _ string, socket syscall.RawConn) error {
	return socket.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
}
