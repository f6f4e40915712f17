package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
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
		return State{}, errors.New("PostgreSQL is not supported yet: name a directory, or an SQLite file such as state.db") // don't show s: it may contain a password
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
	case err != nil, state.Memory:
		return s
	case state.File != "":
		return "sqlite:" + setting.Join(dir, state.File)
	}
	return setting.Join(dir, s)
}
