package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// ErrShutdown is the cause if [Handler.Shutdown] stops an operation.
var ErrShutdown = status.ErrShutdown

// registry returns the Registry of h's operations.
func (h *Handler) registry() *operation.Registry {
	kept := h.kept()
	kept.operationsOnce.Do(func() { kept.operations = operation.New(operationServer{kept}) })
	return kept.operations
}

// Operations returns the running operations, the oldest first.
func (h *Handler) Operations() []operation.Operation { return h.registry().Operations() }

// DocumentedOperations is Operations for an operator: each operation gets a status document, and
// so an ID.
func (h *Handler) DocumentedOperations() []operation.Operation { return h.registry().Documented() }

// OperationsElsewhere returns the running operations of all nodes that share the State, those of this
// one included; none without other nodes.
func (h *Handler) OperationsElsewhere(ctx context.Context) ([]cluster.Status, error) {
	node := h.node()
	if node == nil {
		return nil, nil
	}
	return node.Operations().Running(ctx)
}

// StopOperation stops the running operation with the ID, whoever has begun it, and waits until it
// has rolled back. It returns an error if there is no such operation, if it was too late, or if
// the operation is still rolling back after ten seconds.
func (h *Handler) StopOperation(ctx context.Context, id string) error {
	return h.registry().Stop(ctx, id)
}

// Shutdown refuses new operations and waits until the running ones have ended. If ctx
// ends first, Shutdown stops them with the cause [ErrShutdown], waits until each has
// rolled back what it can, and returns ctx's error. Clients of stopped operations get
// 503 (Service Unavailable). When Shutdown returns, all records are in History, which
// may be closed once the Handler serves no more requests.
//
// Shutdown does not wait for other requests; http.Server.Shutdown does.
func (h *Handler) Shutdown(ctx context.Context) error {
	err := h.registry().Shutdown(ctx)
	h.kept().settlers.halt()
	h.current().haltUploads()
	return err
}

// statusID returns the ID in the URL path of a status document, or "" for the path of
// the list. ok is false for any other path.
func (h *Handler) statusID(ctx context.Context, urlPath string) (id string, ok bool) {
	if !strings.Contains(urlPath, operation.Name) {
		return "", false
	}
	name, err := h.name(ctx, urlPath)
	if err != nil {
		return "", false
	}
	return operation.DocumentID(name)
}

// emission says what the interim responses to r report about an operation with a method
// on the resource root.
func (h *Handler) emission(r *http.Request, method, root string) interim.Emission {
	return interim.Emission{Request: r, Policy: &h.Interim, Root: root, Success: interim.SuccessOf(method), URL: h.absoluteURL(r)}
}

// operationServer is a Handler as the Registry of its operations sees it.
type operationServer struct{ *lasting }

// h returns the Handler with the newest options.
func (s operationServer) h() *Handler { return s.current.Load() }

// Claims implements operation.Server, like the methods below.
func (s operationServer) Claims() *operation.Claims { return &s.h().shared().claims }

func (s operationServer) Records() history.Store {
	if s.h().Tenant != nil {
		return tenant.History{Store: s.h().allRecords()}
	}
	return s.h().allRecords()
}

// Peers implements operation.Server.
func (s operationServer) Peers() operation.Peers {
	node := s.h().node()
	if node == nil {
		return nil
	}
	ops := node.Operations()
	if s.h().Tenant != nil {
		ops = tenant.Operations{Operations: ops}
	}
	return peers{ops}
}

// peers are the operations of all nodes.
type peers struct{ cluster.Operations }

// Partial implements operation.Peers.
func (peers) Partial(named []history.Failure, total int64) error {
	partial := &tree.PartialError{Unnamed: total - int64(len(named))}
	for _, each := range named {
		partial.Failures = append(partial.Failures, tree.Outcome{Name: each.Name, Err: status.New(each.Status, "")})
	}
	return partial
}

func (s operationServer) Record(of string, r history.Record) history.Record {
	if s.h().Tenant != nil {
		r.Principal = tenant.Principal(of, r.Principal)
	}
	return r
}

func (s operationServer) Log(op operation.Operation, err error) {
	if s.h().OperationLogger != nil {
		s.h().OperationLogger(op, err)
	}
}

func (s operationServer) OnEnd() func(operation.Operation) { return s.h().OperationEnded }

func (s operationServer) Waited(r *http.Request, id string) {
	if s.h().OperationOf != nil {
		s.h().OperationOf(r, id)
	}
}

func (s operationServer) Shown(ctx context.Context, name string) string {
	return s.h().shown(ctx, name)
}

func (s operationServer) Href(ctx context.Context, name string) string {
	return s.h().href(ctx, name, false)
}

func (s operationServer) Respond(ctx context.Context, w http.ResponseWriter, err error) {
	s.h().respondError(ctx, w, err)
}

func (s operationServer) Response(w http.ResponseWriter, r *http.Request) *interim.Response {
	return interim.NewResponse(w, r, s.h().stallTimeout(), &s.h().kept().answers)
}

func (s operationServer) Emission(r *http.Request, method, source string) interim.Emission {
	return s.h().emission(r, method, source)
}

func (operationServer) Failures(err error) (named []history.Failure, total int64, ok bool) {
	partial, ok := errors.AsType[*tree.PartialError](err)
	if !ok {
		return nil, 0, false
	}
	return failures(partial.Failures), int64(len(partial.Failures)) + partial.Unnamed, true
}

// maxKeptFailures is how many failed members an answer may name that is kept.
const maxKeptFailures = 100

func (s operationServer) Keeps(err error) bool {
	named, total, partial := s.Failures(err)
	return !partial || total <= maxKeptFailures && int(total) <= len(named)
}

func (operationServer) RollsBack(destination string) bool { return destination != "" }

func (operationServer) Stopped(op operation.Operation) string {
	switch {
	case op.Method == "PROPFIND":
		return "stopped on request"
	case op.Destination == "":
		return "stopped on request; members removed before that are gone"
	}
	return "stopped on request; the destination is as it was"
}

// Agrees reports false if the source of a MOVE or DELETE exists, or the destination of a
// COPY or MOVE doesn't.
func (s operationServer) Agrees(ctx context.Context, method, source, destination string) bool {
	_, err := storage.Lstat(ctx, s.h().FileSystem, source)
	if method != methodCopy && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if destination == "" {
		return true
	}
	_, err = storage.Lstat(ctx, s.h().FileSystem, destination)
	return err == nil
}

func (s operationServer) CancelsWhenGone() bool { return s.h().CancelWhenGone }

// Interrupted implements operation.Access, like the methods below.
func (s operationServer) Interrupted(ctx context.Context, r *history.Record) {
	recoverer{s.h()}.interrupt(storage.Unrestricted(ctx), r, nil)
}

func (s operationServer) Principal(r *http.Request) string { return storage.PrincipalOf(r.Context()) }

func (s operationServer) OnePerson() bool { return s.h().OnePerson }

func (s operationServer) Administers(r *http.Request) bool {
	return s.h().Administrator != nil && s.h().Administrator(r)
}

func (s operationServer) Admits(r *http.Request) bool {
	return s.h().Admitted == nil || s.h().Admitted(r)
}

func (s operationServer) EnterStream(r *http.Request) (leave func(), err error) {
	return (&request{Request: r, h: s.h()}).enterStream()
}

// treeMonitor is a tree.Monitor as an operation sees it.
type treeMonitor struct{ *tree.Monitor }

// Snapshot implements operation.Monitor, like the methods below.
func (m treeMonitor) Snapshot() interim.Progress { return interim.Progress(m.Monitor.Snapshot()) }

func (m treeMonitor) Subscribe() interim.Outcomes { return treeOutcomes{m.Monitor.Subscribe()} }

func (m treeMonitor) Failures() (named []history.Failure, total int64) {
	outcomes, total := m.Monitor.Failures()
	return failures(outcomes), total
}

func failures(outcomes []tree.Outcome) []history.Failure {
	named := make([]history.Failure, len(outcomes))
	for i, each := range outcomes {
		named[i] = history.Failure{Name: each.Name, Status: status.Of(each.Err)}
	}
	return named
}

type treeOutcomes struct{ *tree.Outcomes }

// Take implements interim.Outcomes.
func (o treeOutcomes) Take() []interim.Outcome {
	taken := o.Outcomes.Take()
	outcomes := make([]interim.Outcome, len(taken))
	for i, each := range taken {
		outcomes[i] = interim.Outcome{Name: each.Name, Status: status.Of(each.Err)}
	}
	return outcomes
}
