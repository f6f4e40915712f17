package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/storage"
)

// State says where locks and dead properties are kept. The zero State is the
// default directory of the system.
type State struct {
	// Memory keeps them in memory. They are lost when davd exits.
	Memory bool
	// File is the database file.
	File string
	// Dir is a directory with one database file for each served directory.
	Dir string
	// URL is a PostgreSQL database, which several davd may share. What each of them keeps for
	// itself, such as its control socket, is in the default directory.
	URL string
}

// parsePostgres checks the URL of a database. Its errors don't show it: it may contain a password.
func parsePostgres(s string) (State, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		if parse, ok := errors.AsType[*url.Error](err); ok {
			err = parse.Err
		}
		return State{}, fmt.Errorf("not the URL of a database (%w): write postgres://USER@HOST:5432/DATABASE, for example", err)
	case strings.Trim(u.Path, "/") == "" && !u.Query().Has("dbname") && !u.Query().Has("service"):
		return State{}, errors.New("the URL names no database: write postgres://USER@HOST:5432/DATABASE, for example")
	}
	return State{URL: s}, nil
}

// HasPassword reports whether the URL of the database contains a password.
func (s *State) HasPassword() bool {
	u, err := url.Parse(s.URL)
	if err != nil {
		return false
	}
	_, in := u.User.Password()
	return in || u.Query().Has("password") || u.Query().Has("sslpassword")
}

// Shown returns the URL of the database without passwords.
func (s *State) Shown() string { return shownURL(s.URL) }

// shownState returns a text of parseState without passwords.
func shownState(s string) string {
	if state, err := parseState(s); err == nil && state.URL != "" {
		return state.Shown()
	}
	return s
}

func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	query.Del("password")
	query.Del("sslpassword")
	u.RawQuery = query.Encode()
	return u.String()
}

// parseState tells a file from a directory by its name, because it may not exist yet.
func parseState(s string) (State, error) {
	scheme, rest, hasScheme := strings.Cut(s, ":")
	switch {
	case s == "":
		return State{}, nil
	case s == "mem":
		return State{Memory: true}, nil
	case hasScheme && (scheme == "postgres" || scheme == "postgresql"):
		return parsePostgres(s)
	case hasScheme && scheme == "sqlite":
		file := strings.TrimPrefix(rest, "//")
		if file == "" {
			return State{}, fmt.Errorf("%q has no path: write sqlite:/srv/davd/state.db, for example", s)
		}
		return State{File: file}, nil
	case hasScheme && strings.HasPrefix(rest, "//"):
		return State{}, fmt.Errorf("unknown kind of database %q: write sqlite:PATH, or a directory", scheme)
	case strings.HasSuffix(s, ".db"), strings.HasSuffix(s, ".sqlite"):
		return State{File: s}, nil
	}
	return State{Dir: s}, nil
}

// relativeState returns a text for parseState in a configuration file in dir.
func relativeState(dir, s string) string {
	state, err := parseState(s)
	switch {
	case err != nil, state.Memory, state.URL != "":
		return s
	case state.File != "":
		return "sqlite:" + setting.Join(dir, state.File)
	}
	return setting.Join(dir, s)
}

// maxNodeName limits the length of a node's name, in bytes.
const maxNodeName = 100

// parseFenceCommand reads the path of a program. davd may run in another directory later, so the
// path is absolute.
func parseFenceCommand(s string) (string, error) {
	if s != "" && !filepath.IsAbs(s) {
		return "", fmt.Errorf("%q is not an absolute path: write one such as /usr/local/sbin/fence", s)
	}
	return s, nil
}

func parseNodeName(s string) (string, error) {
	if len(s) > maxNodeName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("%q is not a name: write one of at most %d bytes, such as davd-1", s, maxNodeName)
	}
	return s, nil
}

// checkState checks the settings of a database that several davd share.
func (c *Config) checkState() error {
	if c.State.URL == "" {
		if c.FenceCommand != "" {
			return c.wrongf("fence-command", "has no effect without --state postgres://…: only davd that share a database take over from each other")
		}
		if c.NodeName != "" {
			return c.wrongf("node-name", "has no effect without --state postgres://…: only davd that share a database have names")
		}
		return nil
	}
	c.Handler.Sync = c.sync()
	if from := c.Setting("state").Origin(); c.State.HasPassword() && !from.InFile() && strings.HasPrefix(from.Name, "--") {
		return c.wrongf("state", "other users of this machine can see a password in the command line: leave it out, and put it into the file that PGPASSFILE names, or write the URL in the configuration file or in the variable %s", c.Setting("state").EnvVar())
	}
	return nil
}

// sync returns what is written through to the disk. If another machine may take over, the content
// of a file must not depend on the memory of this one.
func (c *Config) sync() storage.Sync {
	if c.State.URL != "" && c.Setting("fsync").Origin().IsDefault() {
		return storage.SyncClose
	}
	return c.Handler.Sync
}
