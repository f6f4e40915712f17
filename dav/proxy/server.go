package proxy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// server is a Handler as its Registry sees it.
type server struct{ h *Handler }

// Claims implements operation.Server, like the methods below.
func (s server) Claims() *operation.Claims { return &s.h.claims }

func (s server) Respond(ctx context.Context, w http.ResponseWriter, err error) {
	if a, ok := errors.AsType[*answer](err); ok {
		a.write(ctx, w)
		return
	}
	davxml.Respond(w, status.Of(err), err)
}

func (s server) Response(w http.ResponseWriter, r *http.Request) *interim.Response {
	return interim.NewResponse(w, r, 0, &s.h.answers)
}

func (s server) Emission(r *http.Request, _, source string) interim.Emission {
	return s.h.emission(r, source)
}

// maxKept is the longest content of an answer that is kept, in bytes.
const maxKept = 16 << 10

func (server) Keeps(err error) bool {
	a, ok := errors.AsType[*answer](err)
	return ok && a.status != http.StatusMultiStatus && a.content.Len() <= maxKept
}

func (server) Failures(error) (named []history.Failure, total int64, ok bool) { return nil, 0, false }

func (server) CancelsWhenGone() bool { return false }

func (server) RollsBack(string) bool { return false }

func (server) Stopped(operation.Operation) string {
	return "stopped on request; the upstream may have done a part of it, and may go on"
}

// describePatience is how long the upstream may take to say whether a resource exists.
const describePatience = 10 * time.Second

// Agrees asks the upstream, with the credentials of the request.
func (s server) Agrees(ctx context.Context, method, source, destination string) bool {
	if method != "COPY" && s.h.exists(ctx, source) != http.StatusNotFound {
		return false
	}
	return destination == "" || s.h.exists(ctx, destination) == http.StatusMultiStatus
}

// requestKey is the context key of the request whose operation it is.
type requestKey struct{}

// exists returns the status of a PROPFIND of name with Depth 0, or 0. A redirection to the
// same name with a slash is the answer of Apache for a collection, and counts as 207.
func (h *Handler) exists(ctx context.Context, name string) int {
	asked, _ := ctx.Value(requestKey{}).(*http.Request)
	if asked == nil {
		return 0
	}
	a := h.describe(ctx, asked, name)
	switch {
	case a == nil:
		return 0
	case a.status/100 == 3 && strings.HasSuffix(a.header.Get("Location"), h.href(ctx, name)+"/"):
		return http.StatusMultiStatus
	}
	return a.status
}

// describe returns the upstream's answer to a PROPFIND of name with Depth 0 and with the
// credentials of asked, or nil.
func (h *Handler) describe(ctx context.Context, asked *http.Request, name string) *answer {
	ctx, cancel := context.WithTimeout(ctx, describePatience)
	defer cancel()
	r := asked.Clone(ctx)
	r.Method, r.Body, r.ContentLength = "PROPFIND", http.NoBody, 0
	for header := range r.Header {
		if header != "Authorization" && header != "Cookie" && !strings.HasPrefix(header, "X-Forwarded-") {
			delete(r.Header, header)
		}
	}
	r.Header.Set("Depth", "0")
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = unescape(h.prefixOf(ctx))+name, "", ""
	a := &answer{header: make(http.Header)}
	if h.passWhole(ctx, &sink{ResponseWriter: a}, r) != nil {
		return nil
	}
	return a
}

func (s server) Records() history.Store { return tenant.History{Store: &s.h.records} }

// Peers returns nil: a proxy knows only its own operations.
func (server) Peers() operation.Peers { return nil }

func (server) Record(of string, r history.Record) history.Record {
	r.Principal = tenant.Principal(of, r.Principal)
	return r
}

func (s server) Log(op operation.Operation, err error) {
	if a, ok := errors.AsType[*answer](err); ok && a.status < http.StatusBadRequest {
		err = nil
	}
	if s.h.OperationLogger != nil {
		s.h.OperationLogger(op, err)
	}
}

func (s server) OnEnd() func(operation.Operation) { return s.h.OperationEnded }

func (s server) Waited(r *http.Request, id string) {
	if s.h.OperationOf != nil {
		s.h.OperationOf(r, id)
	}
}

func (server) Shown(_ context.Context, name string) string { return name }

func (s server) Href(ctx context.Context, name string) string { return s.h.href(ctx, name) }

// Interrupted implements operation.Access, like the methods below. Records are in memory, so
// none is left of an operation that was interrupted.
func (server) Interrupted(context.Context, *history.Record) {}

func (server) Principal(r *http.Request) string { return storage.PrincipalOf(r.Context()) }

// OnePerson implements operation.Access. Anyone may reach a proxy whose server asks for passwords.
func (server) OnePerson() bool { return false }

func (s server) Administers(r *http.Request) bool {
	return s.h.Authenticated && s.h.Administrator != nil && s.h.Administrator(r)
}

func (s server) Admits(r *http.Request) bool { return s.h.Admitted == nil || s.h.Admitted(r) }

func (s server) EnterStream(r *http.Request) (leave func(), err error) {
	return s.h.enter(r, &s.h.streams, limit.Streams(s.h.Limits.Streams, s.h.Limits.StreamsOf))
}
