package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	// readTimeout is how long a command may take to arrive.
	readTimeout = 10 * time.Second
	// lastCommands is how long running commands may continue when davd stops.
	lastCommands = 2 * time.Second
)

// Server answers the commands of operators.
type Server struct {
	path string
	http *http.Server
	done chan struct{}
}

// Start serves the commands at the socket path until Stop is called. It replaces a socket
// that already exists. Therefore the caller must have opened the state beside the socket,
// so that the socket can only belong to a dead davd.
func Start(ctx context.Context, path string, commands *Commands, log *slog.Logger) (*Server, error) {
	l, err := listen(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := &Server{
		path: path,
		http: &http.Server{
			Handler: &commands.mux, ReadTimeout: readTimeout,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("davd no longer answers commands of the operator", "err", err)
		}
	}()
	return s, nil
}

// Stop refuses further commands, waits up to lastCommands for running ones, and removes the
// socket. For a nil Server it does nothing.
func (s *Server) Stop(ctx context.Context) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCommands)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // Shutdown has closed the listener
	}
	<-s.done
}

func listen(ctx context.Context, path string) (net.Listener, error) {
	if err := makeWay(path); err != nil {
		return nil, err
	}
	at, release, err := address(path)
	if err != nil {
		return nil, err
	}
	defer release()
	open := net.ListenConfig{Control: private}
	l, err := open.Listen(ctx, "unix", at)
	if err != nil {
		return nil, errors.Join(err, removeEmpty(path))
	}
	// net would remove the socket by its address, which may be invalid by then.
	l.(*net.UnixListener).SetUnlinkOnClose(false) //nolint:forcetypeassert // of the network "unix"
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close(), os.Remove(path))
	}
	return &listener{l, path}, nil
}

// makeWay removes the socket, or the empty file, that a dead davd has left at path.
func makeWay(path string) error {
	if err := removeEmpty(path); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket && info.Mode().Type() != fs.ModeIrregular: // Windows has no type for sockets
		return errors.New("is not a socket: move it away")
	}
	return os.Remove(path)
}

// removeEmpty removes an empty file. Some filesystems without sockets, such as exFAT through
// FUSE, create an empty file in place of a socket.
func removeEmpty(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 0 {
		return nil //nolint:nilerr // there is nothing to remove
	}
	return os.Remove(path)
}

// listener removes its socket when it is closed.
type listener struct {
	net.Listener
	path string
}

func (l *listener) Close() error {
	_ = os.Remove(l.path) // before Close: afterwards it might be the socket of another davd
	return l.Listener.Close()
}
