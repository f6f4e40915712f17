package control

import (
	"errors"
	"io/fs"
	"syscall"
)

// wsaeConnRefused is a Winsock error that package syscall doesn't define.
const wsaeConnRefused = syscall.Errno(10061)

// notRunning reports whether a connection failed because no process listens.
func notRunning(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, wsaeConnRefused)
}

// private does nothing, because only its user can access the directory of the state.
func private(_, _ string, _ syscall.RawConn) error { return nil }
