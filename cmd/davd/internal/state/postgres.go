package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/share"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/tokens"
	"github.com/davd/davd/storage/tree"
)

// OpenBeside opens a state in PostgreSQL for a command that works beside a davd on the same machine.
func OpenBeside(ctx context.Context, cfg *config.Config, log *slog.Logger) (*State, error) {
	name, err := nodeName(cfg)
	if err != nil {
		return nil, err
	}
	return openNode(ctx, cfg, name+"-command", "", log)
}

// openPostgres opens a state in PostgreSQL. file names this davd on this machine.
func openPostgres(ctx context.Context, cfg *config.Config, file string, log *slog.Logger) (*State, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("the directory for what davd keeps on this machine: %w", err)
	}
	name, err := nodeName(cfg)
	if err != nil {
		return nil, err
	}
	return openNode(ctx, cfg, name, file, log)
}

func openNode(ctx context.Context, cfg *config.Config, name, file string, log *slog.Logger) (*State, error) {
	host, _ := os.Hostname() // It is only for the program of the operator.
	db, err := pgstate.Open(ctx, cfg.State.URL, pgstate.Options{Log: log, Name: name, Address: host, LockFile: file, MaxLocks: cfg.Locks.MaxPerPrincipal, Hides: tree.Hides, Fence: fence(cfg.FenceCommand)})
	if err != nil {
		return nil, fmt.Errorf("can't open the database of locks and properties: %w", err)
	}
	keyring, err := tokens.NewShared(ctx, db.Tokens())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &State{State: db, Where: file, Kept: cfg.State.Shown(), Tokens: keyring, DB: db, Shared: db}, nil
}

// nodeName returns the name of this davd among those that share its state.
func nodeName(cfg *config.Config) (string, error) {
	if cfg.NodeName != "" {
		return cfg.NodeName, nil
	}
	name, err := os.Hostname()
	if err == nil && name == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("can't find the name of this machine (%w): write one with --node-name", err)
	}
	return name, nil
}

// locateNode returns the path of the file that names this davd, which serves one directory. It is
// in the default directory or, if that is inside the served directory, under a reserved name.
func locateNode(cfg *config.Config) (string, error) {
	keep, err := DefaultDir()
	if err != nil {
		return "", err
	}
	if !cfg.Elsewhere() {
		dir, err := filepath.Abs(cfg.Dir)
		if err != nil {
			return "", err
		}
		inside, err := share.Holds(dir, keep)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if inside {
			keep = filepath.Join(dir, hidden)
		}
	}
	return nodeFile(cfg, keep)
}

// nodeFile returns the path of the file that names this davd, in keep. It depends on the database and
// on the name of this davd, but not on how it logs in.
func nodeFile(cfg *config.Config, keep string) (string, error) {
	name, err := nodeName(cfg)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(cfg.State.URL)
	if err != nil {
		return "", errors.New("--state: not the URL of a database") // err would show it
	}
	q := u.Query()
	identity := []string{u.Host, u.Path, q.Get("host"), q.Get("port"), q.Get("dbname"), q.Get("service"), name}
	hash := sha256.Sum256([]byte(strings.Join(identity, "\x00")))
	return filepath.Join(keep, plain(name)+"-"+hex.EncodeToString(hash[:8])+".node"), nil
}
