package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/apppassword"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/locks"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/ops"
	"github.com/davd/davd/cmd/davd/internal/quotas"
	"github.com/davd/davd/cmd/davd/internal/reload"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/page"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/strays"
	"github.com/davd/davd/storage/tree"
)

// site is a served tree, with the functions to call when something happens.
type site struct {
	frontage

	// what describes fsys to the operator.
	what string
	fsys storage.FS
	// closeStorage, if not nil, is called before the state is closed.
	closeStorage func() error
	// objects tells the metrics about content in objects; nil if there is none.
	objects *objects.Observer
	// state is closed when serve returns.
	state *state.State
	// namespace is nil for a single directory.
	namespace *namespace
	// out is where the operator reads what davd serves.
	out io.Writer
	// ready is called when davd accepts connections.
	ready func([]*server.Listener)
	// sent is called after each interim response.
	sent func(*http.Request, http.Header)
	// withheld, if not nil, is called when a request gets no interim responses, or no
	// further ones.
	withheld func(*http.Request, interim.Withheld)
	// level is the level of log.
	level *slog.LevelVar

	// hangups are the signals that reload the configuration.
	hangups <-chan os.Signal
	// reloading serializes reloads. The first one waits until davd serves.
	reloading sync.Mutex
	secure    *encryption
	// left is how many operations the recovery could not finish.
	left int
	// again receives a value when the storage of a share has been opened.
	again   chan struct{}
	handler *dav.Handler // the newest
	workers *tree.Workers
	monitor *monitor
}

// serve serves until ctx ends.
func (s *site) serve(ctx context.Context) (err error) {
	defer func() {
		if s.closeStorage != nil {
			err = errors.Join(err, s.closeStorage())
		}
		err = errors.Join(err, s.state.Close())
	}()
	if s.secure, err = openEncryption(ctx, s.cfg, s.state.Where, s.log); err != nil {
		return err
	}
	s.reloading.Lock()
	started := sync.OnceFunc(s.reloading.Unlock)
	defer onSignal(ctx, s.hangups, func(ctx context.Context) { _, _ = s.reload(ctx) })() // it logs errors
	if s.monitor, err = openMonitor(ctx, s.cfg, s.log); err != nil {
		started()
		return err
	}
	defer s.monitor.close()
	s.done = s.monitor.done(s.done)
	s.workers = newWorkers()
	s.handler = s.newHandler()
	s.monitor.watchSite(s, s.handler)
	s.monitor.watchCluster(s.node())
	defer s.joinCluster(ctx)()
	operators := s.answerOperators(ctx)
	defer operators.Stop(ctx)
	defer started()
	if err := s.recover(ctx, s.handler); err != nil {
		return err
	}
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	secure, stop, err := s.secure.start(ctx, listeners)
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	defer stop()
	srv := &server.Server{
		Handler:  s.front(s.named(s.handler)),
		Shutdown: s.handler.Shutdown,
		TLS:      secure,
		Log:      s.log,
		Grace:    s.cfg.Drain,
		Storages: s.namespace.storages(),

		Connections: s.cfg.Network.Connections, HeaderTimeout: s.cfg.Network.HeaderTimeout, Trusted: s.trustedProxies,
		ProxyProtocol: s.cfg.Network.ProxyProtocol,
	}
	s.ready(listeners)
	s.secure.announce(s.out)
	s.monitor.serving()
	started()
	defer supervised(ctx, s.log)()
	defer s.watchSecrets(ctx)()
	defer s.recoverLater(ctx)()
	return srv.Serve(ctx, listeners)
}

// answerOperators starts the control socket. If that fails, davd serves without one, because
// not every filesystem supports sockets. A state in memory has no control socket.
func (s *site) answerOperators(ctx context.Context) *control.Server {
	if s.state.Where == "" {
		return nil
	}
	var commands control.Commands
	(&locks.Manager{Locks: s.state.Locks(), Log: s.log}).Register(&commands)
	// All handlers that s has one after the other have the same operations.
	(&ops.Manager{Handler: s.handler, Log: s.log}).Register(&commands)
	(&reload.Manager{Reload: s.reload}).Register(&commands)
	(&apppassword.Manager{Keyring: s.state.Tokens, Check: s.checkUser, Log: s.log}).Register(&commands)
	if s.namespace != nil {
		(&quotas.Manager{Shares: s.namespace.shares.Quotas}).Register(&commands)
	}
	server, err := control.Start(ctx, control.Path(s.state.Where), &commands, s.log)
	if err != nil {
		s.log.WarnContext(ctx, "the commands of the operator, such as davd locks, will not work while this davd is running", "err", err)
	}
	return server
}

// checkUser returns an error for a user who can't have application passwords.
func (s *site) checkUser(name string) error {
	switch {
	case s.users == nil:
		return errors.New("this davd asks for no password, so application passwords have no effect: see davd serve --htpasswd")
	case auth.Probe(s.users.verifier, name) == auth.Unknown:
		return fmt.Errorf("no user has the name %q: add that user first", name)
	}
	return nil
}

// listen opens the listeners. It checks again that their addresses are not public, because
// a host name may have changed its addresses since config.CheckAccess looked it up.
func (s *site) listen(ctx context.Context) ([]*server.Listener, error) {
	listeners, err := openListeners(ctx, s.cfg)
	if err != nil || s.cfg.Guarded() {
		return listeners, err
	}
	for _, l := range listeners {
		if l.Public() {
			err = s.cfg.Unguarded(l.Addr().String())
		}
	}
	if err == nil {
		return listeners, nil
	}
	return nil, errors.Join(err, closeAll(listeners))
}

func closeAll(listeners []*server.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

// recover finishes or undoes the operations of a davd that was killed.
func (s *site) recover(ctx context.Context, handler *dav.Handler) error {
	recovered, err := s.recovered(ctx, handler)
	s.left = countLeft(recovered)
	logRecovered(ctx, s.log, recovered)
	if err != nil {
		return fmt.Errorf("%w; start davd again when it can reach the storage and %s", err, s.state.Kept)
	}
	return nil
}

// recovered returns what was left and what became of it.
func (s *site) recovered(ctx context.Context, handler *dav.Handler) ([]tree.Recovery, error) {
	recovered, err := handler.Recover(ctx)
	if err != nil || handler.ReadOnly {
		return recovered, err
	}
	swept, err := s.sweep(ctx)
	return append(recovered, swept...), err
}

// sweep removes the temporary files of unfinished uploads that a killed davd left behind,
// and from then on records new ones. Such an upload can't be completed.
func (s *site) sweep(ctx context.Context) ([]tree.Recovery, error) {
	swept, err := strays.Sweep(ctx, s.fsys, s.state.Strays)
	return sweptAsRecovered(swept), err
}

// newHandler completes the handler that the settings have configured.
func (s *site) newHandler() *dav.Handler {
	h := &s.cfg.Handler
	h.FileSystem = latency.New(s.monitor.storage(s.fsys), s.cfg.Latency)
	if s.namespace != nil {
		h.Sync = "" // each share has its own
	}
	h.State = s.state.State // not the whole: it may have further methods
	h.Principal = auth.User
	h.Admitted = auth.Admitted
	h.OnePerson = s.users == nil
	h.AllowOrigin = s.cfg.Network.Origins.Allow
	if s.users != nil {
		h.Challenge = func(w http.ResponseWriter, r *http.Request) { s.gate.Challenge(w, r) }
	}
	if s.namespace != nil && s.namespace.access != nil {
		if views := viewsOf(s.cfg, s.namespace.access.Policy()); views != nil {
			h.View = views.of
		}
	}
	// No more than the process has files for.
	h.Limits.Operations = min(h.Limits.Operations, server.MaxOperations())
	h.Workers = s.workers
	h.Pages = pagesOf(s.cfg.Page)
	h.Logger = report(s.cfg, h)
	h.OperationOf = accesslog.InOperation
	h.OperationLogger = logOperation(s.log)
	h.Administrator = administrator(s.cfg)
	h.Interim.Sent, h.Interim.Withheld = s.sent, s.withheld
	h.OperationEnded = s.monitor.watch(&h.Interim)
	return h
}

// pagesOf returns what browsers get for collections. Nil is the plain index.
func pagesOf(kind config.Page) dav.Pages {
	switch kind {
	case config.PageFull:
		return page.New()
	case config.PageOff:
		return dav.NoPages{}
	default:
		return nil
	}
}
