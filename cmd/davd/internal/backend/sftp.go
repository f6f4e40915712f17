package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"path"
	"strings"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
)

// SFTP is a directory of an SFTP server. While the server can't be reached, its calls fail
// with storage.ErrUnavailable.
type SFTP struct {
	*aferofs.FS
	remote *remoteFs
}

var _ storage.Spacer = (*SFTP)(nil)

// OpenSFTP connects to the server of an SFTP URL, such as sftp://ann@nas:2222/data. A path
// that starts with /~/ is below the user's home directory. The server's key must be in a
// known_hosts file. The URL can have these parameters:
//
//   - key: the file of the key to log in with. Without it, those of the SSH agent and in ~/.ssh
//     are tried.
//   - password-file: a file that contains the password.
//   - known-hosts: a file of keys of servers, instead of ~/.ssh/known_hosts and the system's.
//
// Later the SFTP connects again by itself.
func OpenSFTP(_ context.Context, u *url.URL, log *slog.Logger) (*SFTP, error) {
	login, err := newLogin(u)
	if err != nil {
		return nil, err
	}
	r := &remoteFs{connection: &connection{login: login, log: log}, root: "/"}
	root := u.Path
	if rest, ok := strings.CutPrefix(root+"/", "/~/"); ok {
		home, err := call(r, func(s *session) (string, error) { return s.RealPath(".") })
		if err != nil {
			return nil, err
		}
		root = path.Join(home, rest)
	}
	r.root = path.Clean("/" + root)
	info, err := r.Stat("/")
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s: %w", r.root, syscall.ENOTDIR)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return &SFTP{FS: aferofs.New(r), remote: r}, nil
}

// Available connects if there is no connection, and returns the reason if that fails.
func (s *SFTP) Available(context.Context) error {
	_, err := s.remote.session()
	return err
}

// Close ends the connection.
func (s *SFTP) Close() error { return s.remote.close() }

// Space returns what the server says about the filesystem of name.
func (s *SFTP) Space(ctx context.Context, name string) (used, available int64, err error) {
	if _, err := s.Stat(ctx, name); err != nil {
		return 0, 0, err
	}
	found, err := call(s.remote, func(up *session) (*sftp.StatVFS, error) {
		if _, ok := up.HasExtension("statvfs@openssh.com"); !ok {
			return nil, errors.ErrUnsupported
		}
		return up.StatVFS(s.remote.at(name))
	})
	if err != nil {
		return 0, 0, &fs.PathError{Op: "space", Path: name, Err: err}
	}
	size := found.Frsize
	return int64((found.Blocks - found.Bfree) * size), int64(found.Bavail * size), nil //nolint:gosec // no disk is that large
}
