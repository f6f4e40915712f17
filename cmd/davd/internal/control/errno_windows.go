package control

import (
	"errors"
	"io/fs"
	"syscall"
)

// wsaeConnRefused is an error of Winsock that the package syscall doesn't name.
const wsaeConnRefused = syscall.Errno(10061)

// notRunning reports whether a connection failed because no process listens.
func notRunning(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, wsaeConnRefused)
}

// private does nothing: the directory of the state is for its user alone.
func private(_, _ string, _ syscall.RawConn) error { return nil }
