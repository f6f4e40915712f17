package main

import (
	"context"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/directory"
)

// secretsEvery is the time between two looks at the files with secrets that the configuration
// names. That works where notifications of the file system don't, as on NFS and in containers.
const secretsEvery = 2 * time.Second

// watchSecrets notices changed files of password-file, bind-password-file and ldap.ca, until
// stop is called. Files of users and certificates are noticed elsewhere: when they are used.
func (s *site) watchSecrets(ctx context.Context) (stop func()) {
	if s.users == nil || s.cfg.File == "" {
		return func() {}
	}
	return background(ctx, func(ctx context.Context) {
		tick := time.NewTicker(secretsEvery)
		defer tick.Stop()
		failed := ""
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := s.rereadSecrets(ctx)
			if err != nil && err.Error() != failed {
				s.log.ErrorContext(ctx, "a changed file with a secret can't be used; davd goes on with what it had", "err", err)
			}
			if failed = ""; err != nil {
				failed = err.Error()
			}
		}
	})
}

// rereadSecrets makes changed secrets take effect.
func (s *site) rereadSecrets(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	changed, err := s.cfg.RereadSecrets()
	if err == nil && !changed {
		changed, err = s.users.otherCA(s.cfg.LDAP)
	}
	if err != nil || !changed {
		return err
	}
	if err := s.users.set(ctx, s.cfg); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "davd uses a changed file with a secret")
	return nil
}

// otherCA reports whether the certificates that the LDAP service may have are others than those
// in use.
func (u *users) otherCA(l *config.LDAP) (bool, error) {
	if l == nil || l.CA == "" {
		return false, nil
	}
	opened, err := directory.Open(l, u.log, u.ldap)
	if err != nil || opened == u.ldap {
		return false, err
	}
	return true, opened.Close()
}
