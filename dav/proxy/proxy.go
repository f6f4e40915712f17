// Package proxy puts interim responses and operations in front of any WebDAV server.
//
// A [Handler] is a reverse proxy. While the server behind it, the upstream, works on a
// request, clients get 102 (Processing) by the rules of interim.Policy. A COPY, MOVE or
// DELETE is an operation as in package dav: it continues if its client disconnects, an
// identical request joins it, an answer that did not arrive is kept for the next identical
// request, and a client that prefers respond-async gets a 202 with a status document.
//
// Addresses in headers and XML are translated between the clients' view and the
// upstream's.
package proxy

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/origin"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/dav/requestbody"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// Handler passes requests on to another WebDAV server. Upstream must be set; the zero value
// of every other field is useful. A Handler must not be copied once it has served a
// request.
type Handler struct {
	// Upstream is the URL of the collection on the upstream that the clients see as Prefix:
	// a scheme (http or https), a host, and a path, "/" by default. A user name and password
	// in it are sent with each request that has no Authorization.
	Upstream *url.URL
	// Prefix is the URL path of that collection for the clients. It ends at a segment.
	Prefix string
	// Transport sends the requests to the upstream. If it is nil, that is [NewTransport].
	Transport http.RoundTripper
	// Interim says when the proxy sends interim responses, and which clients get them.
	Interim interim.Policy
	// TrustedProxies are the only proxies in front that may say which client a request comes
	// from, under which scheme and host the client knows this proxy, and which prefix they have
	// stripped from the path (X-Forwarded-Prefix).
	TrustedProxies origin.Proxies
	// Authenticated says that a handler in front has checked the header Authorization. Then
	// it is not passed on, and Principal names the user.
	Authenticated bool
	// Principal returns the user of a request if Authenticated is set.
	Principal func(*http.Request) string
	// Administrator reports whether r may see and stop the operations of all users; without
	// Authenticated no request may.
	Administrator func(*http.Request) bool
	// Admitted reports whether the sender of a request would still be let in. It is called
	// once a second while the request follows an operation. nil means always.
	Admitted func(*http.Request) bool
	// AllowOrigin reports whether pages of a foreign origin may stop operations. nil means
	// that none may. Requests to the upstream are the upstream's to judge.
	AllowOrigin func(origin string) bool
	// Limits restricts what clients may use at a time.
	Limits Limits
	// StallTimeout and MinRate restrict slow request bodies, as in dav.Handler. Zero means
	// two minutes, and 500 bytes per second.
	StallTimeout time.Duration
	MinRate      int64
	// Logger, if not nil, is called at the end of every request.
	Logger func(*http.Request, error)
	// OperationLogger, if not nil, is called when an operation ends while no client waits
	// for it.
	OperationLogger func(operation.Operation, error)
	// OperationEnded, if not nil, is called when an operation has ended.
	OperationEnded func(operation.Operation)
	// OperationOf, if not nil, is called before the answer to a request that has waited for an
	// operation with a status document. id is that of the operation.
	OperationOf func(r *http.Request, id string)

	once sync.Once
	// prefix is Prefix, escaped, with a leading and without a trailing slash, or "". base is
	// the same for the path of Upstream.
	prefix, base string

	reverse  *httputil.ReverseProxy
	registry *operation.Registry
	claims   operation.Claims
	records  history.Mem
	answers  interim.Held
	secret   [32]byte

	operations, changes, streams limit.Counter
}

const (
	defaultStall   = 2 * time.Minute
	defaultMinRate = 500
)

// init makes what all requests need.
func (h *Handler) init() {
	h.once.Do(func() {
		h.prefix = strings.TrimSuffix((&url.URL{Path: storage.Clean(h.Prefix)}).EscapedPath(), "/")
		h.base = strings.TrimSuffix(h.Upstream.EscapedPath(), "/")
		h.secret = newSecret()
		h.registry = operation.New(server{h})
		h.reverse = h.newReverse()
	})
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.init()
	w, r, exchange := requestbody.Of(w, r, requestbody.NewPace(cmp.Or(h.StallTimeout, defaultStall), cmp.Or(h.MinRate, defaultMinRate)))
	defer exchange.End()
	err := h.serve(w, h.TrustedProxies.Unstripped(r))
	if !status.Answered(err) {
		davxml.Respond(w, status.Of(err), err)
	}
	if h.Logger != nil {
		h.Logger(r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	if err := field.CheckSingle(r.Header); err != nil {
		return err
	}
	if err := refuseConnectionAuth(r.Header); err != nil {
		return err
	}
	switch {
	case r.URL.Opaque != "", r.URL.Path == "*" && r.Method != http.MethodOptions:
		return status.New(http.StatusBadRequest, "the request target has no path") // RFC 9112 §3.2
	case r.URL.Path == "*":
		return h.forward(w, r)
	}
	name, err := h.name(r.Context(), r.URL.EscapedPath())
	if err != nil {
		return err
	}
	if id, ok := operation.DocumentID(name); ok {
		return h.serveDocument(w, h.withOwner(r), id)
	}
	if interim.Quick(r.Method) {
		h.Interim.NoOperation(r)
		return h.forward(w, r)
	}
	switch r.Method {
	case "COPY", "MOVE", http.MethodDelete:
		return h.operate(w, h.withOwner(r), name)
	case "PROPFIND":
		return h.list(w, h.withOwner(r), name)
	}
	return h.change(w, r, name)
}

// serveDocument serves a status document, which is the proxy's own.
func (h *Handler) serveDocument(w http.ResponseWriter, r *http.Request, id string) error {
	if err := h.self().CheckCross(r); err != nil {
		return err
	}
	if id == "" && h.challenge(w, r) {
		return nil
	}
	if err := requestbody.From(r).Discard(maxSmallBody); r.Method != http.MethodPost && err != nil {
		return status.New(http.StatusRequestEntityTooLarge, "the request must not have a body")
	}
	err := operation.Documents{Registry: h.registry, Access: server{h}}.Serve(w, r, id)
	if id != "" && status.Of(err) == http.StatusNotFound && !status.Answered(err) && h.challenge(w, r) {
		return nil
	}
	return err
}

// challenge answers 401 with the upstream's challenge, if the upstream does not accept the
// credentials of r. Otherwise a browser would never ask for a password, and show nothing.
func (h *Handler) challenge(w http.ResponseWriter, r *http.Request) bool {
	if h.Authenticated {
		return false
	}
	a := h.describe(r.Context(), r, "/")
	if a == nil || a.status != http.StatusUnauthorized {
		return false
	}
	w.Header()["Www-Authenticate"] = a.header["Www-Authenticate"]
	davxml.Respond(w, http.StatusUnauthorized, status.New(http.StatusUnauthorized, "the upstream asks for a password"))
	return true
}

// self is the proxy as its clients know it.
func (h *Handler) self() origin.Server {
	return origin.Server{Proxies: h.TrustedProxies, AllowOrigin: h.AllowOrigin}
}

// Operations returns the running operations, the oldest first.
func (h *Handler) Operations() []operation.Operation {
	h.init()
	return h.registry.Operations()
}

// Shutdown refuses new operations and waits until the running ones have ended. If ctx ends
// first, it ends their requests to the upstream and returns ctx's error.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.init()
	return h.registry.Shutdown(ctx)
}
