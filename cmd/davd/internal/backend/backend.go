// Package backend opens the storages that users can name: an SFTP server and a ZIP file. A
// directory and memory need no package of their own.
package backend

import (
	"errors"
	"net/url"
	"strings"
)

// The prefixes of arguments that name a storage other than a directory.
const (
	sftpPrefix = "sftp://"
	zipPrefix  = "zip:"
)

// Named reports whether an argument names a storage other than a directory.
func Named(argument string) bool {
	return strings.HasPrefix(argument, sftpPrefix) || IsZip(argument)
}

// IsZip reports whether an argument names a ZIP file.
func IsZip(argument string) bool { return strings.HasPrefix(argument, zipPrefix) }

// ZipFile returns the path of the ZIP file that an argument names.
func ZipFile(argument string) string { return strings.TrimPrefix(argument, zipPrefix) }

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

// Identity returns the text that identifies a storage, for the name of its state. It doesn't
// contain how to log in.
func Identity(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: u.Path}
	if u.User != nil {
		bare.User = url.User(u.User.Username())
	}
	return bare.String()
}
