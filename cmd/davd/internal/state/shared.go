package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/share"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/tokens"
)

// sharedName is the name of the database for all shares of a configuration file.
const sharedName = "davd.db"

// stateRoot begins the names of a share in the state, as in package mount.
const stateRoot = "/" + storage.ReservedPrefix + "share-"

// OpenShared opens the state for the shares of cfg. finish is called with the directory of a
// share and its database, if that share was served alone before: it must finish what a killed
// davd has left there. Then the new database takes over that one.
func OpenShared(ctx context.Context, cfg *config.Config, log *slog.Logger, finish func(dir, database string) error) (*State, error) {
	if cfg.State.Memory {
		memory, err := memstate.New(cfg.Locks)
		return &State{State: memory}, err
	}
	file, err := locateShared(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.State.URL != "" {
		return openPostgres(ctx, cfg, file, log)
	}
	adopt, err := adoptions(cfg, finish)
	if err != nil {
		return nil, err
	}
	for _, a := range adopt {
		log.Info("the locks and properties of a directory that was served alone are taken over", "from", a.From, "to", file)
	}
	db, err := sqlstate.Options{Log: log, Locks: cfg.Locks, Adopt: adopt}.Open(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("can't open the database of locks and properties: %w", err)
	}
	keyring, err := tokens.New(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &State{State: db, Where: file, Kept: file, Tokens: keyring, DB: db}, nil
}

// StraysOf returns the path of the record of unfinished uploads for a database.
func StraysOf(database string) string { return database + straysSuffix }

// StraysDir returns the directory for the records of unfinished uploads, or "" if the state has no
// file on this machine.
func (s *State) StraysDir() string {
	if s.Where == "" || s.Kept != s.Where {
		return ""
	}
	return StraysOf(s.Where)
}

// locateShared returns the path of the database for the shares of cfg. Package config has made
// sure that no share contains it, if the operator has named it.
func locateShared(cfg *config.Config) (string, error) {
	if cfg.State.File != "" {
		return filepath.Abs(cfg.State.File)
	}
	keep, err := stateDir(cfg)
	if err != nil {
		return "", err
	}
	file := filepath.Join(keep, sharedName)
	if cfg.State.URL != "" {
		if file, err = nodeFile(cfg, keep); err != nil {
			return "", err
		}
	}
	for _, each := range cfg.Shares {
		if each.Dir == "" || each.PerUser() {
			continue
		}
		inside, err := share.Holds(each.Dir, keep)
		if inside {
			return "", fmt.Errorf("%s would be inside the share %s, where clients could reach it: set state to another directory", file, each.Name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return file, nil
}

// stateDir returns the directory for databases that have no name of their own.
func stateDir(cfg *config.Config) (string, error) {
	if cfg.State.Dir != "" {
		return filepath.Abs(cfg.State.Dir)
	}
	return DefaultDir()
}

// adoptions returns the databases of directories that were served alone and are shares now.
func adoptions(cfg *config.Config, finish func(dir, database string) error) ([]sqlstate.Adoption, error) {
	keep, err := stateDir(cfg)
	if err != nil {
		return nil, err
	}
	var adopt []sqlstate.Adoption
	for _, each := range cfg.Shares {
		if each.Dir == "" || each.PerUser() {
			continue
		}
		dir, err := filepath.Abs(each.Dir)
		if err == nil {
			dir, err = filepath.EvalSymlinks(dir)
		}
		if err != nil {
			continue // the share is not available
		}
		for _, in := range []string{keep, filepath.Join(dir, hidden)} {
			file := filepath.Join(in, databaseName(dir))
			if _, err := os.Stat(file); err != nil {
				continue
			}
			if err := finish(dir, file); err != nil {
				return nil, fmt.Errorf("can't take over the state of %s: %w", dir, err)
			}
			adopt = append(adopt, sqlstate.Adoption{From: file, Root: stateRoot + each.ID})
		}
	}
	return adopt, nil
}
