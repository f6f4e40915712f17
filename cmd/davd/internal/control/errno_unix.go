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

// private sets the mode of a socket before it gets a name, on systems where that works. The
// caller has to set the mode again afterwards.
func private(_, _ string, socket syscall.RawConn) error {
	return socket.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
}
