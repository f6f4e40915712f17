package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// listenUnix listens at the Unix socket path. It replaces the socket of a dead process, but
// no other file.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	var open net.ListenConfig
	l, err := open.Listen(ctx, "unix", path)
	if errors.Is(err, errAddrInUse) {
		if err := removeStale(ctx, path); err != nil {
			return nil, fmt.Errorf("unix:%s: %w", path, err)
		}
		l, err = open.Listen(ctx, "unix", path)
	}
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("unix:%s: its directory does not exist: create it, or choose another --addr", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("unix:%s: davd lacks permission to write to its directory: choose another --addr", path)
	case errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("unix:%s: can't be a socket (its path may be too long: about 100 bytes are possible): choose another --addr", path)
	}
	return nil, fmt.Errorf("unix:%s: can't listen there (%w): choose another --addr", path, cause(err))
}

// removeStale removes the socket path if no process listens there.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its owner has just removed it
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("is not a socket: move it away, or choose another --addr")
	}
	var dial net.Dialer
	conn, err := dial.DialContext(ctx, "unix", path)
	if err == nil {
		err = conn.Close()
	}
	if !errors.Is(err, errConnRefused) {
		return errors.Join(errors.New("another program listens there: stop it, or choose another --addr"), err)
	}
	return os.Remove(path)
}
