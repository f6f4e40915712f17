package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/forwarded"
	"github.com/davd/davd/cmd/davd/internal/hosts"
	"github.com/davd/davd/cmd/davd/internal/rates"
	"github.com/davd/davd/cmd/davd/internal/streams"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/requestbody"
)

// frontage is what every request passes before it reaches the handler of a site or a
// reverse proxy: users, limits and the log. It can be changed while it serves.
type frontage struct {
	cfg *config.Config
	// users is nil if davd does not ask for passwords.
	users *users
	log   *slog.Logger
	// done is called after each request.
	done func(*http.Request, accesslog.Record)

	// outer has the handlers before the check of passwords, and inner those after it if there is one.
	outer, inner live
	trusted      atomic.Pointer[dav.TrustedProxies]
	gate         *auth.Handler
}

// front puts f before handler.
func (f *frontage) front(handler http.Handler) http.Handler {
	f.set(handler)
	return &f.outer
}

// set makes handler and f.cfg those for new requests.
func (f *frontage) set(handler http.Handler) {
	trusted := f.cfg.Handler.TrustedProxies
	f.trusted.Store(&trusted)
	if len(trusted) > 0 {
		handler = forwarded.Undo(handler)
	}
	network := &f.cfg.Network
	inner := f.limited(f.guard(paced(handler, network.RatePerUser, auth.User)))
	outer := http.Handler(&accesslog.Handler{Next: network.Origins.Handler(paced(inner, network.RatePerAddress, addressOf)), Done: f.done})
	if len(trusted) > 0 {
		outer = &forwarded.Handler{Trusted: trusted, Next: outer}
	}
	if header := f.cfg.UserHeader; header != nil {
		outer = &auth.UserHeader{Next: outer, Trusted: trusted, Name: header.Name, Groups: header.Groups, Ignored: f.ignored}
	}
	f.outer.set(outer)
}

// paced limits how many requests per second a client sends to next, unless perSecond is 0.
func paced(next http.Handler, perSecond int, client func(*http.Request) string) http.Handler {
	if perSecond == 0 {
		return next
	}
	return &rates.Handler{Next: next, Client: client, Rate: float64(perSecond), Refused: accesslog.Report}
}

// addressOf returns the address of the client of a request, or "" at a Unix socket.
func addressOf(r *http.Request) string {
	if network := forwarded.Network(r.RemoteAddr); network.IsValid() {
		return network.String()
	}
	return ""
}

// trustedProxies returns the trusted proxies of the present configuration.
func (f *frontage) trustedProxies() []netip.Prefix { return *f.trusted.Load() }

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

// guard lets in only users, if there are any, and otherwise everyone. It keeps what it knows
// about logins when f changes.
func (f *frontage) guard(inner http.Handler) http.Handler {
	if f.users == nil {
		return inner
	}
	f.inner.set(inner)
	if f.gate == nil {
		f.gate = &auth.Handler{
			Next: &f.inner, Verifier: f.users.verifier, Realm: f.cfg.Realm,
			Anonymous: func(r *http.Request) bool { return isPublic(f.users.cfg.Load(), r) },
			Known:     accesslog.Identify, Refused: f.refused,
			Unauthorized: dav.Unauthorized,
		}
	}
	return f.gate
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
	f.log.WarnContext(r.Context(), "login failed", "remote", accesslog.Remote(r), "user", strings.ToValidUTF8(name, "\ufffd"))
}

// ignored logs a header with a user name that does not count. It is called before the access
// log, and before the address of the client replaces that of a proxy.
func (f *frontage) ignored(r *http.Request, err error) {
	f.log.WarnContext(r.Context(), "a header with a user name is ignored", "remote", accesslog.Remote(r), "err", err)
}

// administrator returns a function that reports whether an administrator sent a request.
func administrator(cfg *config.Config) func(*http.Request) bool {
	return func(r *http.Request) bool { return slices.Contains(cfg.Admins, auth.User(r)) }
}
