// Package state opens what davd keeps beside the files that it serves: locks,
// dead properties, the journal of what is under way, and the history of what was.
package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/share"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/tree"
)

// State is open until Close.
type State struct {
	Locks      *lock.System
	Properties deadprops.Store
	// Journal is nil in memory: then nothing outlives the process. It is a
	// storage.StrayKeeper, too.
	Journal tree.Journal
	// History is nil in memory, where a handler has one of its own.
	History history.Store
	// Where is the path of the database, or empty when all is in memory.
	Where string
	db    *sqlstate.DB // nil in memory
	// strays is nil in memory.
	strays *storage.Strays
}

// straysSuffix is what the file beside the database has after its name.
const straysSuffix = "-strays"

// journal is that of the database, and what is too short for it.
type journal struct {
	*sqlstate.DB
	strays *storage.Strays
}

// Strays implements storage.StrayKeeper.
func (j journal) Strays() *storage.Strays { return j.strays }

// Open opens the state of what cfg serves. log is told when its disk is full, or its
// file is removed.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (*State, error) {
	options := lock.Options{MaxPerPrincipal: cfg.LocksPerUser}
	if cfg.State.Memory {
		locks, err := lock.New(ctx, options)
		return &State{Locks: locks, Properties: deadprops.NewMem()}, err
	}
	file, err := locate(cfg)
	if err != nil {
		return nil, err
	}
	db, err := sqlstate.Options{Log: log}.Open(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("locks and properties can't be kept: %w; --state DIR keeps them in another place, --state mem in memory", err)
	}
	options.Store = db
	locks, err := lock.New(ctx, options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: the locks can't be read: %w", file, err), db.Close())
	}
	// The database is open, and by nobody else: so is this.
	strays, err := storage.OpenStrays(file + straysSuffix)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("what uploads may leave can't be noted: %w", err), db.Close())
	}
	return &State{
		Locks: locks, Properties: db, Journal: journal{db, strays}, History: db,
		Where: file, db: db, strays: strays,
	}, nil
}

// Close closes the database. Nothing may use the State any more.
func (s *State) Close() error {
	if s.db == nil {
		return nil
	}
	return errors.Join(s.strays.Close(), s.db.Close())
}

// locate returns the path of the database of what cfg serves.
func locate(cfg *config.Config) (string, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("%s: its path can't be resolved (%w): name another directory", cfg.Dir, err)
	}
	file := cfg.State.File
	switch {
	case cfg.State.Dir != "":
		file = filepath.Join(cfg.State.Dir, databaseName(dir))
	case file == "":
		return locateDefault(dir)
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", fmt.Errorf("--state %s: the current directory is gone: change to another", file)
	}
	inside, err := share.Holds(dir, filepath.Dir(file))
	if err != nil {
		return "", err
	}
	if inside {
		return "", fmt.Errorf("--state: %s would be inside the directory that is served, where clients could get at it: name another place with --state, or keep locks and properties in memory with --state mem", file)
	}
	return file, nil
}

// hidden is a name that no client can see or write (storage.Reserved).
const hidden = ".davd-state"

// locateDefault returns the database of dir where nobody has said a place: in
// the system's or, where that is a part of dir, as of a home directory that is
// served, under a reserved name.
func locateDefault(dir string) (string, error) {
	keep, err := defaultDir(thisSystem())
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

func thisSystem() system {
	return system{
		goos:   runtime.GOOS,
		root:   os.Geteuid() == 0,
		getenv: os.Getenv,
		home:   os.UserHomeDir,
	}
}
