package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/shares"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/strays"
)

// namespace is what a site serves: the shares of a configuration file as one storage, and
// their state.
type namespace struct {
	fsys   storage.FS
	shares *shares.Shares
	// access is nil if everyone may do everything.
	access *access.FS
	state  *state.State
	// most is how many storages are open at a time, unless more are in use.
	most int
}

// storages returns how many storages are kept open. n may be nil.
func (n *namespace) storages() int {
	if n == nil {
		return 0
	}
	return n.most
}

// mostOpen returns how many storages the shares of cfg keep open.
func mostOpen(cfg *config.Config) int {
	ofUsers := sharesOfUsers(cfg)
	return len(cfg.Shares) - ofUsers + ofUsers*server.MaxStorages(ofUsers)
}

// sharesOfUsers returns how many shares of cfg have a storage for each user.
func sharesOfUsers(cfg *config.Config) (n int) {
	for _, share := range cfg.Shares {
		if share.PerUser() {
			n++
		}
	}
	return n
}

// openShares opens the shares of cfg and their state. opened is called whenever the storage of a
// share was opened, and must not wait.
func openShares(ctx context.Context, cfg *config.Config, log *slog.Logger, observer *objects.Observer, opened func()) (*namespace, error) {
	kept, err := state.OpenShared(ctx, cfg, log, func(dir, database string) error { return finishAlone(ctx, cfg, log, dir, database) })
	if err != nil {
		return nil, err
	}
	n := &namespace{state: kept, shares: &shares.Shares{Strays: kept.StraysDir(), Observer: observer, Opened: opened, Log: log}, most: mostOpen(cfg)}
	n.shares.MaxUsers = server.MaxStorages(sharesOfUsers(cfg))
	if kept.DB != nil {
		n.shares.Identities, n.shares.State = kept.DB, kept.DB
	}
	if kept.Shared != nil {
		if err := checkShares(cfg); err != nil {
			return nil, errors.Join(err, kept.Close())
		}
		node := kept.Shared.Cluster()
		n.shares.Stage, n.shares.Notes = func() string { return cluster.StageName(node.Epoch()) }, kept.Shared.Strays()
	}
	if err := n.shares.Open(ctx, cfg); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	n.fsys = n.shares.FS
	kept.State = n.shares.FS.State(kept.State)
	if restricts(cfg) {
		policy, err := policyOf(cfg)
		if err != nil {
			return nil, errors.Join(err, kept.Close())
		}
		n.access = access.New(n.fsys, policy)
		n.fsys = n.access
	}
	return n, nil
}

// errRestricts is the reason why a reload is refused.
var errRestricts = errors.New("davd served everything to everyone until now: restart it to serve users or rights")

// set replaces the shares and rights by those of cfg. If it returns an error, they stay.
func (n *namespace) set(cfg *config.Config) error {
	if n.access == nil && restricts(cfg) {
		return errRestricts
	}
	if n.access == nil {
		return n.shares.Set(cfg)
	}
	policy, err := policyOf(cfg)
	if err != nil {
		return err
	}
	return n.access.Change(policy, func() error { return n.shares.Set(cfg) })
}

// finishAlone finishes or undoes what a killed davd has left in a directory that it served
// alone, before its database is taken over.
func finishAlone(ctx context.Context, cfg *config.Config, log *slog.Logger, dir, database string) (err error) {
	fsys, err := local.OpenWith(dir, cfg.Local)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fsys.Close()) }()
	db, err := sqlstate.Options{Log: log}.Open(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	recovered, err := (&dav.Handler{FileSystem: fsys, State: db}).Recover(ctx)
	logRecovered(ctx, log, recovered)
	if err != nil {
		return err
	}
	return sweepAlone(ctx, log, fsys, database)
}

// sweepAlone removes the unfinished uploads in a directory that was served alone.
func sweepAlone(ctx context.Context, log *slog.Logger, fsys storage.FS, database string) error {
	file, err := strays.Open(state.StraysOf(database))
	if err != nil {
		return err
	}
	swept, err := strays.Sweep(ctx, fsys, file)
	logRecovered(ctx, log, sweptAsRecovered(swept))
	return errors.Join(err, file.Close())
}
