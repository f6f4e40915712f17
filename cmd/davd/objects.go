package main

import (
	"context"
	"errors"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/state"
)

// observeObjects returns what tells the metrics about objects, or nil without metrics.
func (s *site) observeObjects() *objects.Observer {
	if s.objects == nil && s.cfg.Metrics.Addr != (config.Addr{}) {
		s.objects = &objects.Observer{}
	}
	return s.objects
}

// watchObjects adds what o tells. o may be nil.
func (m *monitor) watchObjects(o *objects.Observer) {
	if o == nil {
		return
	}
	counted := m.metrics.WatchObjects()
	o.Set(objects.Watch{Request: counted.Request, Collected: counted.Collected})
}

// openObjects is open for content in objects, whose names may be in the database of the state.
func (s *site) openObjects(ctx context.Context) (err error) {
	if s.state, err = state.Open(ctx, s.cfg, s.log); err != nil {
		return err
	}
	opened, err := objects.Open(ctx, s.cfg.Storage.Objects, objects.Options{State: s.state.State, Observer: s.observeObjects(), Log: s.log})
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
