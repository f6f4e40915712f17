// Package state opens the data that davd keeps in addition to the served files: locks, dead
// properties, the journal of running operations, the history of ended ones, and application
// passwords.
package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/davd/davd/cmd/davd/internal/backend"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/share"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/strays"
	"github.com/davd/davd/storage/tokens"
)

// State is the open state of a served directory. Close closes it.
type State struct {
	dav.State
	// Where is the path of the database, or empty for a state in memory. If the state is in
	// PostgreSQL, it is the path of the file on this machine that names this davd. What davd keeps
	// on this machine is beside it.
	Where string
	// Kept says where the state is, for the operator: Where, or the URL without a password.
	Kept string
	// Strays are the unfinished uploads. It is nil for a state in memory.
	Strays *strays.File
	// Tokens are the application passwords. It is nil for a state in memory, because no
	// command could add one.
	Tokens *tokens.Keyring
	// DB is the database, or nil in memory.
	DB Database
	// Shared is the database if other davd may use it too, and nil otherwise.
	Shared Shared
}

// Shared is a *pgstate.DB.
type Shared interface {
	cluster.Member
	// Strays returns where the nodes note their unfinished uploads.
	Strays() strays.Notes
	// LeftStrays returns the notes of nodes that are dead or have left.
	LeftStrays(ctx context.Context) ([]strays.Note, error)
}

// Database is a *sqlstate.DB or a *pgstate.DB.
type Database interface {
	dav.State
	Tokens() tokens.Store
	ShareIdentity(ctx context.Context, id string) (string, error)
	SetShareIdentity(ctx context.Context, id, identity string) error
	// CheckWritable returns an error if no change can be stored now.
	CheckWritable(ctx context.Context) error
	Close() error
}

// straysSuffix is added to the name of the database to get that of the file of strays.
const straysSuffix = "-strays"

// Open opens the state for the directory that cfg serves. It is logged to log when the disk
// of the state is full or its file is removed.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (*State, error) {
	if cfg.State.Memory {
		memory, err := memstate.New(cfg.Locks)
		return &State{State: memory}, err
	}
	file, err := locate(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.State.URL != "" {
		return openPostgres(ctx, cfg, file, log)
	}
	db, err := sqlstate.Options{Log: log, Locks: cfg.Locks}.Open(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("can't open the database of locks and properties: %w; --state DIR keeps them in another place, --state mem in memory", err)
	}
	// No other process can use this file, because this one holds the database.
	unfinished, err := strays.Open(file + straysSuffix)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("can't open the record of unfinished uploads: %w", err), db.Close())
	}
	keyring, err := tokens.New(ctx, db)
	if err != nil {
		return nil, errors.Join(err, unfinished.Close(), db.Close())
	}
	return &State{State: db, Where: file, Kept: file, Strays: unfinished, Tokens: keyring, DB: db}, nil
}

// Close closes the database. The State must not be used afterwards.
func (s *State) Close() error {
	if s.DB == nil {
		return nil
	}
	return errors.Join(s.Strays.Close(), s.DB.Close())
}

// locate returns the path of the database for the directory that cfg serves.
func locate(cfg *config.Config) (string, error) {
	if cfg.State.URL != "" {
		return locateNode(cfg)
	}
	if cfg.Elsewhere() {
		return locateElsewhere(cfg)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s: no such directory: name the one that davd serves", cfg.Dir)
		}
		return "", fmt.Errorf("%s: can't resolve its path (%w): name another directory", cfg.Dir, err)
	}
	file := cfg.State.File
	switch {
	case cfg.State.Dir != "":
		file = filepath.Join(cfg.State.Dir, databaseName(dir))
	case file == "":
		return locateDefault(dir)
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", fmt.Errorf("--state %s: the current directory no longer exists: change to another one", file)
	}
	inside, err := share.Holds(dir, filepath.Dir(file))
	if err != nil {
		return "", err
	}
	if inside {
		return "", fmt.Errorf("--state: %s would be inside the served directory, where clients could reach it: name another place with --state, or keep locks and properties in memory with --state mem", file)
	}
	return file, nil
}

// locateElsewhere is locate for a storage that is not a directory of this machine. Its URL
// names the database, but not how to log in.
func locateElsewhere(cfg *config.Config) (string, error) {
	identity, err := identityOf(cfg)
	if err != nil {
		return "", err
	}
	keep := cfg.State.Dir
	switch {
	case keep != "":
	case cfg.State.File != "":
		return filepath.Abs(cfg.State.File)
	default:
		if keep, err = DefaultDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(keep, databaseName(identity)), nil
}

// identityOf returns the text that identifies a storage that is not a directory.
func identityOf(cfg *config.Config) (string, error) {
	if cfg.Storage.Kind == "" {
		return cfg.Storage.Objects.Identity()
	}
	return backend.Identity(cfg.Dir)
}

// hidden is a directory that no client can see or write to (storage.Reserved).
const hidden = ".davd-state"

// locateDefault returns the path of the database of dir if --state is not set. It is in the
// system's default directory. If that is inside dir, as when a home directory is served, it
// is in dir under a reserved name.
func locateDefault(dir string) (string, error) {
	keep, err := DefaultDir()
	if err != nil {
		return "", err
	}
	inside, err := share.Holds(dir, keep)
	if err != nil {
		return "", err
	}
	if inside {
		keep = filepath.Join(dir, hidden)
	}
	return filepath.Join(keep, databaseName(dir)), nil
}
