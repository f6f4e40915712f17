// Package backend opens the storages that users can name: an SFTP server and a ZIP file. A
// directory and memory need no package of their own.
package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/davd/davd/storage"
)

// zipPrefix starts an argument that names a ZIP file.
const zipPrefix = "zip:"

// ParseSFTP parses an SFTP URL, without showing a password in its error.
func ParseSFTP(argument string) (*url.URL, error) {
	u, err := url.Parse(argument)
	if err != nil || u.Scheme != "sftp" || u.Hostname() == "" {
		return nil, errors.New("it is not an SFTP URL: write sftp://USER@HOST/PATH")
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("the URL has a password, which others can see: remove it, and use a key or password-file=FILE")
	}
	return u, nil
}

// Identity returns the text that identifies the storage that an argument names, an SFTP URL or
// "zip:" with a path. It is for the name of its state, and doesn't contain how to log in.
func Identity(argument string) (string, error) {
	if file, ok := strings.CutPrefix(argument, zipPrefix); ok {
		file, err := filepath.Abs(file)
		return zipPrefix + file, err
	}
	u, err := ParseSFTP(argument)
	if err != nil {
		return "", err
	}
	bare := url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: u.Path}
	if u.User != nil {
		bare.User = url.User(u.User.Username())
	}
	return bare.String(), nil
}

// Open opens the storage that an argument of davd serve names, an SFTP URL or "zip:" with a
// path. what describes it to the operator.
func Open(ctx context.Context, argument string, log *slog.Logger) (fsys storage.FS, what string, err error) {
	if file, ok := strings.CutPrefix(argument, zipPrefix); ok {
		fsys, err = OpenZip(file)
		return fsys, argument, err
	}
	u, err := ParseSFTP(argument)
	if err != nil {
		return nil, "", err
	}
	what, err = Identity(argument)
	if err == nil {
		fsys, err = OpenSFTP(ctx, u, log)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", what, err)
	}
	return fsys, what, nil
}

// IsZip reports whether an argument names a ZIP file.
func IsZip(argument string) bool { return strings.HasPrefix(argument, zipPrefix) }

// ForUser returns the URL u with the name of a user in place of placeholder.
func ForUser(u *url.URL, placeholder, user string) *url.URL {
	mine := *u
	mine.Path, mine.RawPath = strings.ReplaceAll(u.Path, placeholder, user), ""
	return &mine
}
