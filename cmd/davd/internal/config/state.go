package config

import (
	"errors"
	"fmt"
	"strings"
)

// State says where locks and dead properties are kept. The zero State is the
// default directory of the system.
type State struct {
	// Memory: they are gone at the end.
	Memory bool
	// File is the database of what is served.
	File string
	// Dir is a directory that has a database for each directory that is served.
	Dir string
}

// memoryState is how a person asks for State.Memory.
const memoryState = "mem"

// parseState tells a file from a directory by its name: neither need exist.
func parseState(s string) (State, error) {
	scheme, rest, hasScheme := strings.Cut(s, ":")
	switch {
	case s == "":
		return State{}, nil
	case s == memoryState:
		return State{Memory: true}, nil
	case hasScheme && (scheme == "postgres" || scheme == "postgresql"):
		return State{}, errors.New("PostgreSQL can't be used yet: name a directory, or an SQLite file such as state.db") // not s: it may have a password
	case hasScheme && scheme == "sqlite":
		file := strings.TrimPrefix(rest, "//")
		if file == "" {
			return State{}, fmt.Errorf("%q has no path: write sqlite:/srv/davd/state.db, for example", s)
		}
		return State{File: file}, nil
	case hasScheme && strings.HasPrefix(rest, "//"):
		return State{}, fmt.Errorf("there is no database %q: write sqlite:PATH, or a directory", scheme)
	case strings.HasSuffix(s, ".db"), strings.HasSuffix(s, ".sqlite"):
		return State{File: s}, nil
	}
	return State{Dir: s}, nil
}

// checkState: of a tree that is gone at the end nothing can be kept.
func (c *Config) checkState(written string) error {
	if c.Storage != Mem {
		return nil
	}
	if written != "" && !c.State.Memory {
		return errors.New("the tree of --storage mem is gone at the end, and its locks and properties with it: leave this out, or write mem")
	}
	c.State = State{Memory: true}
	return nil
}
