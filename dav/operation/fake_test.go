package operation

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
)

func href(name string) string { return string(field.AppendHref(nil, "", name, false)) }

// fixedAccess is an Access with one principal, who sends all requests.
type fixedAccess struct {
	Access
	principal              string
	administers, onePerson bool
}

func (a fixedAccess) Principal(*http.Request) string { return a.principal }

func (a fixedAccess) OnePerson() bool { return a.onePerson }

func (a fixedAccess) Administers(*http.Request) bool { return a.administers }

func (fixedAccess) Admits(*http.Request) bool { return true }

func (fixedAccess) EnterStream(*http.Request) (leave func(), err error) { return func() {}, nil }

// site is a Server without a storage, with its Registry and Documents. Its client is ann.
type site struct {
	*Registry
	Documents
	claims  Claims
	records *brokenHistory
	policy  interim.Policy
	held    interim.Held
	cancels bool
	// disagrees says that the storage does not agree with kept answers.
	disagrees bool

	mu   sync.Mutex
	logs []error
}

// brokenHistory is a history whose writes fail with err, unless that is nil.
type brokenHistory struct {
	history.Mem
	mu  sync.Mutex
	err error
}

func (h *brokenHistory) SaveOperations(ctx context.Context, records ...history.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	return h.Mem.SaveOperations(ctx, records...)
}

func (h *brokenHistory) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

func newSite() *site {
	s := &site{records: &brokenHistory{}, policy: interim.Policy{Mode: interim.Never}}
	s.Registry = New(siteServer{s})
	s.Documents = Documents{Registry: s.Registry, Access: fixedAccess{principal: "ann"}}
	return s
}

// siteServer is a site as its Registry sees it.
type siteServer struct{ *site }

func (s siteServer) Claims() *Claims { return &s.claims }

func (siteServer) Peers() Peers { return nil }

func (s siteServer) Records() history.Store { return s.records }

func (siteServer) Record(_ string, r history.Record) history.Record { return r }

func (s siteServer) Log(_ Operation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, err)
}

func (siteServer) OnEnd() func(Operation) { return nil }

func (siteServer) Waited(*http.Request, string) {}

func (siteServer) Shown(_ context.Context, name string) string { return name }

func (siteServer) Href(_ context.Context, name string) string { return href(name) }

func (siteServer) Respond(_ context.Context, w http.ResponseWriter, err error) {
	http.Error(w, status.Reason(err), status.Of(err))
}

func (s siteServer) Response(w http.ResponseWriter, r *http.Request) *interim.Response {
	return interim.NewResponse(w, r, 0, &s.held)
}

func (s siteServer) Emission(r *http.Request, method, source string) interim.Emission {
	return interim.Emission{Request: r, Policy: &s.policy, Root: source, Success: interim.SuccessOf(method), URL: href}
}

func (siteServer) Failures(error) (named []history.Failure, total int64, ok bool) {
	return nil, 0, false
}

func (siteServer) Keeps(error) bool { return true }

func (siteServer) RollsBack(destination string) bool { return destination != "" }

func (siteServer) Stopped(Operation) string { return "stopped on request" }

func (s siteServer) Agrees(context.Context, string, string, string) bool { return !s.disagrees }

func (s siteServer) CancelsWhenGone() bool { return s.cancels }

// idle is a Monitor without progress.
type idle struct{ interim.Monitor }

func (idle) Snapshot() interim.Progress { return interim.Progress{} }

func (idle) Failures() (named []history.Failure, total int64) { return nil, 0 }

// work is a COPY of /a to /b that takes a time.
type work struct {
	hold  *Hold
	takes time.Duration
	runs  *int
}

func (work) Resources() (source, destination string) { return "/a", "/b" }

func (w work) Hold() *Hold { return w.hold }

func (work) Monitor() Monitor { return idle{} }

func (work) Success() int { return http.StatusCreated }

func (w work) Do(ctx context.Context, _ func() Operation) error {
	*w.runs++
	select {
	case <-time.After(w.takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// copies sends a COPY with the header Prefer that takes the given time if it is carried
// out. runs counts how often that is.
func (s *site) copies(ctx context.Context, prefer string, takes time.Duration, runs *int) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, "COPY", "/a", http.NoBody)
	r.Header.Set("Prefer", prefer)
	preferences := field.ParsePreferences(r.Header)
	key := Key{Method: "COPY", Principal: "ann", Source: "/a", Destination: "/b"}
	answer := httptest.NewRecorder()
	err := s.Undertake(answer, Request{Request: r, Key: key, Preferences: preferences, Principal: "ann", Depth: field.Infinite}, func() {}, func(*cluster.Operation) (Task, error) {
		h := &Hold{Scopes: []Scope{{Name: "/a", Tree: true}, {Name: "/b", Tree: true}}, Key: key}
		if err := s.claims.AcquireHold(ctx, h); err != nil {
			return nil, err
		}
		return work{h, takes, runs}, nil
	})
	if !status.Answered(err) {
		siteServer{s}.Respond(ctx, answer, err)
	}
	return answer
}

// gets sends a request for a document, and returns the answer.
func (s *site) gets(t *testing.T, method, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	r.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	if err := s.Serve(answer, r, strings.TrimPrefix(path, "/"+Name+"/")); !status.Answered(err) {
		siteServer{s}.Respond(t.Context(), answer, err)
	}
	return answer
}

var errFull = errors.New("the disk is full")
