package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/hosts"
	"github.com/davd/davd/cmd/davd/internal/metrics"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/dav/proxy"
	"github.com/davd/davd/storage"
)

// monitor counts what a davd does and says whether it is ready. Without --metrics-addr it is nil,
// and its methods do nothing.
type monitor struct {
	metrics *metrics.Metrics
	health  metrics.Health
	// fsys is the storage, measured.
	fsys storage.FS
	stop func()
}

// memProfileRate is the runtime's default: one sample for so many bytes that are allocated.
const memProfileRate = 512 << 10

// openMonitor serves metrics if cfg says so, until close is called.
func openMonitor(ctx context.Context, cfg *config.Config, log *slog.Logger) (*monitor, error) {
	if cfg.Metrics.Addr == (config.Addr{}) {
		return nil, nil //nolint:nilnil // no metrics are wanted
	}
	listeners, err := server.Listen(ctx, []config.Addr{cfg.Metrics.Addr})
	if err != nil {
		return nil, fmt.Errorf("--metrics-addr %w", err)
	}
	l := listeners[0]
	m := &monitor{metrics: metrics.New(version())}
	mux := metrics.Handler(m.metrics, &m.health, log)
	if cfg.Metrics.Pprof {
		runtime.MemProfileRate = memProfileRate
		// A page that a browser of this machine shows must not read profiles.
		mux.Handle("/debug/pprof/", &hosts.Handler{Next: metrics.Profiles(), Names: cfg.Hosts})
	}
	log.InfoContext(ctx, "metrics are served", "at", l.Where(false, "/metrics"))
	if cfg.Metrics.Pprof && l.Public() {
		log.WarnContext(ctx, "other machines can read profiles of davd: set --metrics-addr to a local address, or leave out --pprof", "addr", l.Addr())
	}
	m.stop = metrics.Serve(l, mux, log)
	context.AfterFunc(ctx, func() { m.health.SetServing(false) })
	return m, nil
}

func (m *monitor) close() {
	if m != nil {
		m.stop()
	}
}

// serving says that davd accepts connections from now on.
func (m *monitor) serving() {
	if m != nil {
		m.health.SetServing(true)
	}
}

// needs adds something that davd needs in order to be ready.
func (m *monitor) needs(what string, check func(context.Context) error) {
	if m != nil {
		m.health.Need(metrics.Check{Name: what, Run: check})
	}
}

// done returns a function that counts requests and calls done.
func (m *monitor) done(done func(*http.Request, accesslog.Record)) func(*http.Request, accesslog.Record) {
	if m == nil {
		return done
	}
	return func(r *http.Request, record accesslog.Record) {
		m.metrics.Request(r, record)
		done(r, record)
	}
}

// storage returns fsys, measured. It is called with the same fsys each time.
func (m *monitor) storage(fsys storage.FS) storage.FS {
	if m == nil {
		return fsys
	}
	if m.fsys == nil {
		m.fsys = m.metrics.WatchStorage(fsys)
	}
	return m.fsys
}

// watch counts the interim responses of a handler with this policy, and returns its
// OperationEnded.
func (m *monitor) watch(policy *interim.Policy) func(operation.Operation) {
	if m == nil {
		return nil
	}
	m.metrics.WatchInterim(policy)
	return m.metrics.Ended
}

// watchSite adds the facts about s.
func (m *monitor) watchSite(s *site, h *dav.Handler) {
	if m == nil {
		return
	}
	m.metrics.WatchOperations(h.Operations)
	m.watchObjects(s.objects)
	if s.state.DB != nil {
		if s.state.Kept == s.state.Where {
			m.metrics.WatchState(s.state.Where)
		}
		m.needs("state", s.state.DB.CheckWritable)
	}
	if s.namespace != nil {
		m.needs("shares", s.namespace.shares.FS.Check)
		return
	}
	m.needs("storage", func(ctx context.Context) error {
		_, err := s.fsys.Stat(storage.Unrestricted(ctx), "/")
		return err
	})
}

// watchProxy is watchSite for a reverse proxy.
func (m *monitor) watchProxy(h *proxy.Handler) {
	if m != nil {
		h.OperationEnded = m.watch(&h.Interim)
		m.metrics.WatchOperations(h.Operations)
	}
}
