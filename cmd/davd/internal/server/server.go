// Package server serves a handler over HTTP until it is told to stop. Running requests get
// time to finish.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/davd/davd/cmd/davd/internal/config"
)

const (
	readHeaderTimeout = 30 * time.Second
	// idleTimeout is longer than clients usually keep an idle connection, so that the
	// client closes it and not the server.
	idleTimeout = 3 * time.Minute
	// maxHeaderBytes has room for a long If header (RFC 4918 §10.4).
	maxHeaderBytes = 256 << 10
	// fewConnections is how many connections one address may have even if the process can open few
	// files.
	fewConnections = 32
	// maxStreams is the least that RFC 9113 §6.5.2 recommends.
	maxStreams = 100
	// maxFrame is how much memory, in bytes, a connection of HTTP/2 keeps for the frame that it
	// reads. By default that is 1 MiB, even while the connection is idle.
	maxFrame = 64 << 10
	// pingAfter is how long nothing may arrive on an HTTP/2 connection before the server sends
	// a PING, so that a connection stays open in middleboxes while an operation runs.
	pingAfter = 20 * time.Second
	// lastAnswers is the time for sending the answers of stopped operations.
	lastAnswers = time.Second
)

// Server serves one handler at several listeners. It sets no time-out for reading or writing
// a body, because uploads and operations may take any time.
type Server struct {
	Handler http.Handler
	// Shutdown, if not nil, waits until no operation of Handler is running. When its
	// context ends, it stops those that still run. It can be that of a dav.Handler.
	Shutdown func(context.Context) error
	// TLS, if not nil, makes the server use TLS, and HTTP/2 with clients that support it.
	TLS *tls.Config
	Log *slog.Logger
	// Connections limits the open connections. Zero means as many as the process has files for, and
	// no limit for one address. Trusted returns the proxies without such a limit; nil means none.
	Connections config.Connections
	Trusted     func() []netip.Prefix
	// ProxyProtocol are the networks whose connections must begin with a header of the PROXY protocol.
	ProxyProtocol []netip.Prefix
	// HeaderTimeout is how long the header of a request may take. Zero means 30 seconds.
	HeaderTimeout time.Duration
	// Storages is how many storages the Handler keeps open.
	Storages int
	// Grace is how long running requests may continue after the context of Serve has ended.
	Grace time.Duration
}

// Serve serves until ctx ends or a listener fails. When it returns, the listeners are closed
// and their Unix sockets are removed.
func (s *Server) Serve(ctx context.Context, listeners []*Listener) error {
	share := newBudget(withoutStorages(fileLimit(), s.Storages))
	open := newConnections(share.connections)
	open.trusted = s.Trusted
	if s.Connections.All > 0 {
		open.max = min(open.max, s.Connections.All)
		open.maxOf = min(s.Connections.Of, max(open.max/4, fewConnections))
	}
	srv := &http.Server{
		Handler:           open.closing(withFiles(s.Handler, share.files)),
		ConnState:         open.state,
		TLSConfig:         s.TLS,
		Protocols:         protocols(s.TLS != nil),
		ReadHeaderTimeout: cmp.Or(s.HeaderTimeout, readHeaderTimeout),
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrame, SendPingTimeout: pingAfter},
		ErrorLog:          errorLog(s.Log),
	}
	srv.RegisterOnShutdown(open.stop)
	defer raiseHeapFloor()()
	if !collectorTuned() {
		memory := &releaser{usage: memoryUsage, release: releaseMemory}
		srv.ConnState = func(conn net.Conn, state http.ConnState) {
			open.state(conn, state)
			memory.connState(conn, state)
		}
	}
	serving, running := errgroup.WithContext(ctx)
	for _, l := range listeners {
		behind := s.behindProxies(limited{l, open})
		serving.Go(func() error {
			if s.TLS != nil {
				return srv.ServeTLS(behind, "", "")
			}
			return srv.Serve(behind)
		})
	}
	<-running.Done()
	s.stop(context.WithoutCancel(ctx), srv)
	if err := serving.Wait(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// protocols returns the versions of HTTP. Without TLS, a client can begin an HTTP/2 connection
// (RFC 9113 §3.3), as some proxies do. No HTTP/1 client sends what such a connection begins with.
func protocols(secure bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(secure)
	p.SetUnencryptedHTTP2(!secure)
	return p
}

// stop refuses new connections immediately. Operations have s.Grace to finish, then they are
// stopped and answered. After lastAnswers, the remaining connections are closed.
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
			s.Log.Warn("can't close a listener", "err", err)
		}
	}()

	graceCtx, cancel := context.WithTimeout(ctx, s.Grace)
	defer cancel()
	if s.Shutdown != nil {
		if err := s.Shutdown(graceCtx); err != nil {
			s.Log.Warn("operations were stopped before they had finished", "err", err)
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
