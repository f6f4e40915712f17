package main

import (
	"context"
	"errors"

	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/state"
)

// openObjects is open for content in objects, whose names may be in the database of the state.
func (s *site) openObjects(ctx context.Context) (err error) {
	if s.state, err = state.Open(ctx, s.cfg, s.log); err != nil {
		return err
	}
	opened, err := objects.Open(ctx, s.cfg.Storage.Objects, objects.Options{State: s.state.State, Log: s.log})
	if err != nil {
		return errors.Join(err, s.state.Close())
	}
	access := "read-write"
	if s.cfg.Handler.ReadOnly {
		access = "read-only"
	} else {
		opened.Collect(ctx)
	}
	s.fsys, s.closeStorage, s.what = opened.FS, opened.Close, s.cfg.Storage.String()+" ("+access+")"
	return nil
}
