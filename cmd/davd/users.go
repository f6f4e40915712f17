package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/directory"
	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/auth/passfile"
	"github.com/davd/davd/storage/tokens"
)

// users are the users who may log in. A reload changes them and keeps what is remembered of
// logins.
type users struct {
	log *slog.Logger
	// chain has the users of the configuration, then those of files, then those of LDAP.
	chain *auth.Chain
	// verifier is chain, with application passwords if they are kept.
	verifier auth.Verifier
	accounts *auth.Users
	files    map[string]*auth.File
	ldap     *directory.Directory // or nil
	// cfg is the newest configuration.
	cfg atomic.Pointer[config.Config]
}

// openUsers opens the users of cfg.
func openUsers(ctx context.Context, cfg *config.Config, log *slog.Logger) (*users, error) {
	u := &users{log: log, chain: auth.NewChain(), accounts: auth.NewUsers(nil)}
	u.verifier = u.chain
	u.cfg.Store(cfg)
	return u, u.set(ctx, cfg)
}

// with makes the verifier accept application passwords too. keyring may be nil.
func (u *users) with(keyring *tokens.Keyring) {
	if keyring != nil {
		u.verifier = &auth.Tokens{Verifier: u.chain, Keyring: keyring, Log: u.log}
	}
}

// set replaces the users by those of cfg. If it returns an error, they stay as they were.
func (u *users) set(ctx context.Context, cfg *config.Config) error {
	accounts, err := accountsOf(cfg)
	if err != nil {
		return err
	}
	files := make(map[string]*auth.File, len(cfg.HTPasswd))
	verifiers := []auth.Verifier{u.accounts}
	for _, name := range cfg.HTPasswd {
		file := u.files[name]
		if file == nil {
			file, err = auth.OpenFile(name, func() error { return checkSecret(ctx, u.cfg.Load(), name) }, u.log)
		}
		if err != nil {
			return fmt.Errorf("--htpasswd %w", err)
		}
		files[name] = file
		verifiers = append(verifiers, file)
	}
	var ldap *directory.Directory
	if cfg.LDAP != nil {
		if ldap, err = directory.Open(cfg.LDAP, u.log, u.ldap); err != nil {
			return err
		}
		verifiers = append(verifiers, ldap)
	}
	before := u.ldap
	u.cfg.Store(cfg)
	u.files, u.ldap = files, ldap
	u.accounts.Set(accounts)
	u.chain.Set(verifiers...)
	if before != nil && before != ldap {
		return before.Close()
	}
	return nil
}

// accountsOf returns the users whose passwords are in the configuration.
func accountsOf(cfg *config.Config) (map[string]auth.Account, error) {
	accounts := make(map[string]auth.Account)
	for _, user := range cfg.Users {
		if user.Hash == "" {
			continue
		}
		matcher, err := passfile.ParseHash(user.Hash)
		if err != nil {
			return nil, fmt.Errorf("%s: users.%s: %w", user.Place, user.Name, err)
		}
		accounts[user.Name] = auth.Account{Account: passfile.Account{Hash: user.Hash, Matcher: matcher}}
	}
	return accounts, nil
}
