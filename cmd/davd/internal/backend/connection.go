package backend

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/davd/davd/storage"
)

const (
	// dialTimeout is how long a connection and a login may take, each.
	dialTimeout = 10 * time.Second
	// keepAlive is how often the server is asked whether it is still there, and how long it
	// may take to answer. After that, all calls fail.
	keepAlive = 15 * time.Second
	// retryAfter is how long calls fail at once after an attempt to connect has failed.
	retryAfter = 2 * time.Second
)

// posixRename is the extension that renames a file onto another one in one step.
const posixRename = "posix-rename@openssh.com"

// connection connects to a server, and again if the connection is lost. All calls share one
// connection.
type connection struct {
	login *login
	log   *slog.Logger

	mu      sync.Mutex
	current *session
	// failed is when the last attempt failed, and err why.
	failed time.Time
	err    error
	closed bool
}

// session is a connection that is up, or was.
type session struct {
	*sftp.Client
	ssh  *ssh.Client
	lost atomic.Bool
	done chan struct{} // closed when it is lost
}

// unavailable is the error of a call without a connection.
func unavailable(err error) error { return fmt.Errorf("%w: %w", storage.ErrUnavailable, err) }

var errClosed = errors.New("the storage is closed")

// session returns the present connection, or connects.
func (c *connection) session() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, errClosed
	case c.current != nil && !c.current.lost.Load():
		return c.current, nil
	case time.Since(c.failed) < retryAfter:
		return nil, unavailable(c.err)
	}
	s, err := c.login.dial()
	if err != nil {
		if c.err == nil {
			c.log.Warn("can't connect to the SFTP server", "host", c.login.host, "err", err)
		}
		c.failed, c.err = time.Now(), err
		return nil, unavailable(err)
	}
	if c.current != nil || c.err != nil {
		c.log.Info("connected to the SFTP server again", "host", c.login.host)
	}
	c.current, c.err, c.failed = s, nil, time.Time{}
	go s.watch()
	return s, nil
}

// close ends the connection.
func (c *connection) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.current == nil || c.current.lost.Load() {
		return nil
	}
	return c.current.ssh.Close()
}

func (l *login) dial() (*session, error) {
	config, release, err := l.config()
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := net.DialTimeout("tcp", l.host, dialTimeout) //nolint:noctx // many requests share it
	if err != nil {
		return nil, err
	}
	// Timeout of the config doesn't include the login.
	if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	up, channels, requests, err := ssh.NewClientConn(conn, l.host, config)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	client := ssh.NewClient(up, channels, requests)
	files, err := sftp.NewClient(client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	if _, ok := files.HasExtension(posixRename); !ok {
		return nil, errors.Join(fmt.Errorf("the server can't replace a file in one step (%s)", posixRename), client.Close())
	}
	return &session{Client: files, ssh: client, done: make(chan struct{})}, nil
}

// watch asks the server whether it is still there, and ends the session if it isn't.
func (s *session) watch() {
	go func() {
		_ = s.Wait()
		s.end()
	}()
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := s.ssh.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case err := <-answered:
			if err == nil {
				continue
			}
		case <-time.After(keepAlive):
		case <-s.done:
			return
		}
		s.end()
	}
}

// end marks the session as lost and closes it, so that all its calls fail.
func (s *session) end() {
	if s.lost.CompareAndSwap(false, true) {
		close(s.done)
		_ = s.ssh.Close()
	}
}

// meaning returns the error that err, from a call of the session, means.
func (s *session) meaning(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, sftp.ErrSSHFxNoConnection), errors.Is(err, net.ErrClosed):
		s.end()
		return unavailable(err)
	case s.lost.Load():
		return unavailable(err)
	}
	// OpenSSH has this code for names that are too long.
	if status, ok := errors.AsType[*sftp.StatusError](err); ok && status.FxCode() == sftp.ErrSSHFxBadMessage {
		return syscall.ENAMETOOLONG
	}
	return err
}
