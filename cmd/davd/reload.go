package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/reload"
	"github.com/davd/davd/dav/auth"
)

// catchReload catches the signals that make davd read its configuration again, from now on.
// The last one waits until it is received.
func catchReload() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	for _, each := range reloadSignals {
		signal.Notify(signals, each)
	}
	return signals
}

// onSignal calls reload with each of the signals, until stop is called. The signals stay caught
// after that: davd must not die of one while it stops.
func onSignal(ctx context.Context, signals <-chan os.Signal, reload func(context.Context)) (stop func()) {
	return background(ctx, func(ctx context.Context) {
		for {
			select {
			case <-signals:
				reload(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
}

// reload reads the configuration, the certificate and the passwords again. If something is
// invalid, everything stays as it was.
func (s *site) reload(ctx context.Context) (reload.Result, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	defer reloadingNow(s.log)()
	result, err := s.reloadLocked(context.WithoutCancel(ctx))
	if err != nil {
		s.log.Error("davd goes on with the configuration that it had, because the new one can't be used", "err", strings.ReplaceAll(err.Error(), "\n", "; "))
		return reload.Result{}, err
	}
	for _, warning := range result.Warnings {
		s.log.Warn(warning)
	}
	if result.File == "" {
		s.log.Info("davd has no configuration file; it has read the certificate again, if it has one")
		return result, nil
	}
	s.log.Info("davd has read its configuration again", "file", result.File, "changed", strings.Join(result.Applied, ","))
	if len(result.Restart) > 0 {
		s.log.Warn("some changes need a restart", "settings", strings.Join(result.Restart, ","))
	}
	return result, nil
}

func (s *site) reloadLocked(ctx context.Context) (reload.Result, error) {
	if err := s.secure.reload(); err != nil {
		return reload.Result{}, err
	}
	if s.cfg.File == "" {
		return reload.Result{}, nil
	}
	next, err := s.cfg.Reload()
	if err != nil {
		return reload.Result{}, err
	}
	changes := config.Diff(s.cfg, next)
	if err := next.KeepFixed(s.cfg); err != nil {
		return reload.Result{}, err
	}
	if err := next.CheckAccess(ctx, net.DefaultResolver.LookupNetIP); err != nil {
		return reload.Result{}, err
	}
	if err := s.apply(ctx, next); err != nil {
		return reload.Result{}, err
	}
	return reload.Result{File: next.File, Applied: changes.Applied, Restart: changes.Restart, Warnings: next.Warnings}, nil
}

// errKind is the reason why a reload is refused.
var errKind = errors.New("davd needs a restart to change between a single directory and shares, or to begin or cease to ask for passwords")

// stillKnown reports whether the user of an operation still exists. The users that a trusted proxy
// names are known to the proxy only.
func (s *site) stillKnown(ctx context.Context, user string) bool {
	if auth.Asserted(ctx) {
		return s.cfg.UserHeader != nil
	}
	return auth.Probe(s.users.verifier, user) != auth.Unknown
}

// apply makes next the configuration for new requests. If it returns an error, nothing has
// changed.
func (s *site) apply(ctx context.Context, next *config.Config) error {
	if (len(next.Shares) > 0) != (s.namespace != nil) || next.Asks() != (s.users != nil) {
		return errKind
	}
	if s.namespace != nil {
		if err := s.namespace.set(next); err != nil {
			return err
		}
	}
	if s.users != nil {
		if err := s.users.set(ctx, next); err != nil {
			if s.namespace != nil {
				err = errors.Join(err, s.namespace.set(s.cfg))
			}
			return err
		}
	}
	s.cfg = next
	s.level.Set(next.LogLevel)
	s.withheld = logWithheld(s.log) // depends on the level
	handler := s.newHandler()
	handler.Succeed(s.handler)
	s.handler = handler
	s.set(s.named(handler))
	if s.users != nil {
		handler.Reauthorize(s.stillKnown)
	}
	if s.namespace != nil {
		s.recoverSoon()
	}
	return nil
}
