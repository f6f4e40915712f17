// Package server listens, serves a handler over HTTP until it is told to stop,
// and stops without cutting off what is under way.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	readHeaderTimeout = 30 * time.Second
	// idleTimeout is longer than clients keep a connection for their next
	// request, so that it is they who close it.
	idleTimeout = 3 * time.Minute
	// maxHeaderBytes has room for a long If header (RFC 4918 §10.4).
	maxHeaderBytes = 256 << 10
	// maxStreams is the least that RFC 9113 §6.5.2 recommends.
	maxStreams = 100
	// lastAnswers is how long the answers of stopped operations have to leave.
	lastAnswers = time.Second
)

// Server serves one handler at several listeners. There is no time-out for
// reading or writing a body: uploads and operations take what they take.
type Server struct {
	Handler http.Handler
	// Shutdown, if not nil, waits until no operation of Handler is running,
	// or stops them when its context ends, as dav.Handler's does.
	Shutdown func(context.Context) error
	// TLS, if not nil, encrypts all connections, over HTTP/2 where the client
	// can.
	TLS *tls.Config
	Log *slog.Logger
	// Grace is how long what is under way may go on once ctx has ended.
	Grace time.Duration
}

// Serve serves until ctx ends, or a listener fails, then stops. The listeners
// are closed when it returns, the unix sockets among them removed.
func (s *Server) Serve(ctx context.Context, listeners []*Listener) error {
	share := newBudget(fileLimit())
	open := newConnections(share.connections)
	srv := &http.Server{
		Handler:           open.closing(withFiles(s.Handler, share.files)),
		ConnState:         open.state,
		TLSConfig:         s.TLS,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          errorLog(s.Log),
	}
	srv.RegisterOnShutdown(open.stop)
	defer raiseHeapFloor()()
	if !collectorTuned() {
		memory := newReleaser()
		srv.ConnState = func(conn net.Conn, state http.ConnState) {
			open.state(conn, state)
			memory.connState(conn, state)
		}
	}
	ended := make(chan error)
	for _, l := range listeners {
		go func() {
			if s.TLS != nil {
				ended <- srv.ServeTLS(limited{l, open}, "", "")
			} else {
				ended <- srv.Serve(limited{l, open})
			}
		}()
	}
	var errs []error
	running := len(listeners)
	select {
	case <-ctx.Done():
	case err := <-ended:
		running--
		errs = append(errs, err)
	}
	s.stop(context.WithoutCancel(ctx), srv)
	for range running {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stop refuses new connections at once. Operations have the grace to finish,
// then they are stopped and answered; what is left after that is cut off.
func (s *Server) stop(ctx context.Context, srv *http.Server) {
	s.Log.Info("stopping", "grace", s.Grace)
	httpCtx, cut := context.WithCancel(ctx)
	defer cut()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		err := srv.Shutdown(httpCtx)
		if httpCtx.Err() != nil {
			err = srv.Close()
			s.Log.Warn("connections were cut off")
		}
		if err != nil {
			s.Log.Warn("a listener could not be closed", "err", err)
		}
	}()

	graceCtx, cancel := context.WithTimeout(ctx, s.Grace)
	defer cancel()
	if s.Shutdown != nil {
		if err := s.Shutdown(graceCtx); err != nil {
			s.Log.Warn("operations were stopped before their end", "err", err)
		}
	}
	select {
	case <-drained:
		return
	case <-graceCtx.Done():
	}
	select {
	case <-drained:
	case <-time.After(lastAnswers):
		cut()
		<-drained
	}
}
