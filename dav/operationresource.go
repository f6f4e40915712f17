package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// OperationsName is the reserved name, in the root of a Handler, of the collection of
// status documents. Each operation has one, under a name that can't be guessed; the
// header Location tells it to the client. GET of the collection lists the operations
// of the client's principal. GET of a member returns an [OperationStatus]. DELETE of
// a member stops the operation and rolls it back, or forgets an operation that has
// ended.
//
// Only the principal of the operation and a [Handler.Administrator] can see a status
// document. To others it does not exist. An operation without a principal is open to
// every client that knows the name, and is in no principal's list. [Handler.History]
// keeps the document for a day after the operation ends.
const OperationsName = ".davd-operations"

// operationMethods are the methods of a status document, listMethods those of the
// list.
const (
	operationMethods = "OPTIONS, DELETE, GET, HEAD, POST"
	listMethods      = "OPTIONS, GET, HEAD"
)

// statusHref returns the path of the status document id, or of the list if id is "".
// Because a client is about to learn the path, the operation gets a record soon
// (keepTold). A Location with a path is relative to the URL of the request (RFC 9110
// §10.2.2), so it works behind a proxy even if the server does not know its public
// scheme and host.
func (h *Handler) statusHref(id string) string {
	h.keepTold(id)
	return h.href("/"+OperationsName+"/"+id, false)
}

// statusID returns the ID in the URL path of a status document, or "" for the path of
// the list. ok is false for any other path.
func (h *Handler) statusID(urlPath string) (id string, ok bool) {
	if !strings.Contains(urlPath, OperationsName) {
		return "", false
	}
	name, err := h.name(urlPath)
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(name, "/"+OperationsName)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// errNoOperation is for an operation that does not exist or belongs to another
// principal.
var errNoOperation = &status.Error{Status: http.StatusNotFound, Reason: "no such operation"}

// The media types of a status document.
const (
	jsonType   = "application/json"
	htmlType   = "text/html"
	eventsType = "text/event-stream"
)

// serveOperation serves the status document id, or the list.
func (h *Handler) serveOperation(w http.ResponseWriter, r *request, id string) error {
	w.Header().Set("Cache-Control", "no-store")
	if id == "" {
		return h.serveOperations(w, r)
	}
	switch r.Method {
	case http.MethodOptions:
		return serveAllow(w, operationMethods)
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
	default:
		w.Header().Set("Allow", operationMethods)
		return status.New(http.StatusMethodNotAllowed, "a status document can only be read or deleted")
	}
	view, err := h.findOperation(r, id)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodDelete:
		err := h.deleteOperation(r.Context(), view)
		switch {
		case errors.Is(err, errStopping):
			respond(w, http.StatusAccepted, err)
			return nil
		case err != nil:
			return err
		}
		return succeed(w, http.StatusNoContent)
	case http.MethodPost:
		return h.postOperation(w, r, view)
	}
	return h.getOperation(w, r, view)
}

func serveAllow(w http.ResponseWriter, methods string) error {
	w.Header().Set("Allow", methods)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// operationView is the state of an operation at one moment, for a status document.
type operationView struct {
	record history.Record
	// op is nil if this process does not know the operation, only its record.
	op *operation
	// members and bytes are rates per second.
	members, bytes float64
}

// viewOf returns the current view of op. An operation that is stopping has no rate and
// so no estimate, because the progress of a rollback is unknown.
func (h *Handler) viewOf(op *operation) *operationView {
	view := &operationView{record: h.operations.record(op), op: op}
	h.keepTold(view.record.ID)
	switch {
	case !view.record.Ended.IsZero():
		view.average()
	case !view.stopping():
		view.members, view.bytes = op.pace.note(op.Started, time.Now(), op.monitor.Snapshot())
	}
	return view
}

// average sets the rates of an operation that has ended to its average. After a crash
// it counts only the time until the last record, not the downtime.
func (v *operationView) average() {
	until := v.record.Ended
	if v.record.State == history.Interrupted {
		until = v.record.Updated
	}
	if seconds := until.Sub(v.record.Started).Seconds(); seconds > 0 {
		v.members, v.bytes = float64(v.record.Done)/seconds, float64(v.record.Bytes)/seconds
	}
}

// findOperation returns a view of the operation id, or errNoOperation if r may not see
// it.
func (h *Handler) findOperation(r *request, id string) (*operationView, error) {
	if op := h.operations.find(id); op != nil {
		if !ofTenant(r, op) || !h.mayReach(r, op.Principal) {
			return nil, errNoOperation
		}
		return h.viewOf(op), nil
	}
	record, err := h.records().LoadOperation(r.Context(), id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoOperation
	case err != nil:
		return nil, err
	case !h.mayReach(r, record.Principal), outdated(&record):
		return nil, errNoOperation
	}
	return h.viewOfRecord(r.Context(), record), nil
}

// viewOfRecord returns a view of a record whose operation this process does not know.
func (h *Handler) viewOfRecord(ctx context.Context, record history.Record) *operationView {
	view := &operationView{record: record}
	if record.State == history.Running {
		h.interrupt(ctx, &view.record, nil)
		view.record.Ended = record.Updated
	}
	view.average()
	return view
}

// outdated reports whether the record has been kept for long enough.
func outdated(r *history.Record) bool {
	return !r.Ended.IsZero() && time.Since(r.Ended) > historyKept
}

// ofTenant reports whether op belongs to the tenant of r. Not even an administrator
// sees the operations of another tenant.
func ofTenant(r *request, op *operation) bool {
	tenant, _ := storage.TenantOf(r.Context())
	return op.Tenant == tenant
}

// mayReach reports whether r may see and stop operations of principal.
func (h *Handler) mayReach(r *request, principal string) bool {
	return principal == "" || principal == r.principal() || h.administers(r)
}

// administers reports whether r comes from an administrator, who may reach all
// operations.
func (h *Handler) administers(r *request) bool {
	return h.Administrator != nil && h.Administrator(r.Request)
}

// getOperation answers a GET with the media type that the client prefers.
func (h *Handler) getOperation(w http.ResponseWriter, r *request, view *operationView) error {
	w.Header().Set("Vary", "Accept")
	form := field.PreferredType(r.Header["Accept"], jsonType, htmlType, eventsType)
	if form == eventsType {
		return h.serveEvents(w, r, view)
	}
	if r.preferences().Processing && view.op != nil {
		if leave, err := h.enterStream(r); err == nil {
			defer leave()
			return h.awaitOperation(w, r, view.op, form)
		}
	}
	return status.Logged(h.respondView(w, http.StatusOK, form, view))
}

// respondView writes a status document of the type form: jsonType or htmlType.
func (h *Handler) respondView(w http.ResponseWriter, status int, form string, view *operationView) error {
	if form == htmlType {
		return h.respondPage(w, status, view)
	}
	return h.respondJSON(w, status, view)
}

// awaitOperation sends interim responses until op ends, and then its status document.
// A client that can't get interim responses gets the document immediately.
func (h *Handler) awaitOperation(w http.ResponseWriter, r *request, op *operation, form string) error {
	res := h.newResponse(w, r.Request)
	about := h.emission(r.Request, op.Method, op.Source)
	about.Monitor = treeMonitor{op.monitor}
	e := res.Start(about)
	var err error
	if e.Promised() {
		res.Header().Set("Preference-Applied", "processing")
		err = h.await(r, op)
	}
	e.Stop()
	if err != nil {
		respond(res, status.Of(err), err)
	} else {
		err = h.respondView(res, http.StatusOK, form, h.viewOf(op))
	}
	return status.Logged(errors.Join(err, res.Finish()))
}

// await waits until op ends or the client disconnects. It returns errNotAdmitted if
// the user loses access.
func (h *Handler) await(r *request, op *operation) error {
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	for {
		select {
		case <-h.operations.ended(op):
			return nil
		case <-r.Context().Done():
			return nil
		case <-ticker.C:
			if !h.admits(r) {
				return errNotAdmitted
			}
		}
	}
}
