package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/forwarded"
	"github.com/davd/davd/cmd/davd/internal/hosts"
	"github.com/davd/davd/cmd/davd/internal/streams"
	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/requestbody"
)

// frontage is what every request passes before it reaches the handler of a site or a
// reverse proxy: users, limits and the log.
type frontage struct {
	cfg *config.Config
	// users is nil if davd does not ask for passwords.
	users auth.Verifier
	log   *slog.Logger
	// done is called after each request.
	done func(*http.Request, accesslog.Record)
}

// front returns the handlers that every request passes before it reaches handler.
func (f *frontage) front(handler http.Handler) http.Handler {
	if len(f.cfg.Handler.TrustedProxies) == 0 {
		return &accesslog.Handler{Next: f.limited(f.guard(handler)), Done: f.done}
	}
	return &forwarded.Handler{
		Trusted: f.cfg.Handler.TrustedProxies,
		Next:    &accesslog.Handler{Next: f.limited(f.guard(forwarded.Undo(handler))), Done: f.done},
	}
}

// named rejects requests for other host names if no users protect the server.
func (f *frontage) named(next http.Handler) http.Handler {
	if f.users != nil {
		return next
	}
	return &hosts.Handler{Next: next, Names: f.cfg.Hosts, Trusted: f.cfg.Handler.TrustedProxies, Refused: accesslog.Report}
}

// limited limits how slowly a client may send a request body or read an answer. If the
// answer does not depend on the body, the client gets it before the body has arrived.
func (f *frontage) limited(next http.Handler) http.Handler {
	h := &f.cfg.Handler
	return &streams.Handler{
		Next:  &requestbody.Handler{Next: next, Pace: requestbody.NewPace(h.StallTimeout, h.MinRate)},
		Stall: h.StallTimeout, Refused: accesslog.Report,
	}
}

// guard lets in only users, if there are any, and otherwise everyone.
func (f *frontage) guard(next http.Handler) http.Handler {
	if f.users == nil {
		return next
	}
	return &auth.Handler{
		Next: next, Verifier: f.users, Realm: f.cfg.Realm,
		Known: accesslog.Identify, Refused: f.refused,
	}
}

// maxLoggedName limits the length of a name in the log, in bytes.
const maxLoggedName = 64

// refused logs a failed login. Programs such as fail2ban read this line: see
// packaging/fail2ban. The client chooses the name, so it comes last.
func (f *frontage) refused(r *http.Request, err error) {
	accesslog.Report(r, err)
	failed, ok := errors.AsType[*auth.LoginError](err)
	if !ok {
		return
	}
	name := failed.Name
	if len(name) > maxLoggedName {
		name = name[:maxLoggedName] + "…"
	}
	remote := "unix"
	if client, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		remote = client.Addr().Unmap().WithZone("").String()
	}
	f.log.WarnContext(r.Context(), "login failed", "remote", remote, "user", strings.ToValidUTF8(name, "\ufffd"))
}

// administrator returns a function that reports whether an administrator sent a request.
func administrator(cfg *config.Config) func(*http.Request) bool {
	return func(r *http.Request) bool { return slices.Contains(cfg.Admins, auth.User(r)) }
}
