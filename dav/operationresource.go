package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// OperationsName is the reserved name, in the root of a Handler, of the collection
// of status documents: one for each operation, under a name that can't be guessed,
// which the header Location tells. GET of the collection lists those of the
// principal who asks, GET of a member is an [OperationStatus], DELETE of it stops
// the operation and rolls it back, or forgets one that has ended.
//
// A status document is there for whose request the operation is, and for a
// [Handler.Administrator]; to all else it does not exist. Where nobody says who he
// is, whoever knows the name may use it, and the list is empty. It is kept for a
// day after the end, in [Handler.History].
const OperationsName = ".davd-operations"

// operationMethods are those of a status document, and listMethods of their list.
const (
	operationMethods = "OPTIONS, DELETE, GET, HEAD, POST"
	listMethods      = "OPTIONS, GET, HEAD"
)

// statusHref is the path of the status document id, or with "" of the list, for
// somebody who is told it. As a Location it is relative to what the client has asked
// for (RFC 9110 §10.2.2), so it leads through every proxy, whether that says by which
// scheme and host it is known or not.
func (h *Handler) statusHref(id string) string {
	h.keepTold(id)
	return h.href("/"+OperationsName+"/"+id, false)
}

// statusID returns the ID in a URL path that is of a status document, "" for the
// list. ok is false for any other path.
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

// errNoOperation is for what is not there, and for what is somebody else's.
var errNoOperation = &statusError{status: http.StatusNotFound, reason: "no such operation"}

// serveOperation serves the status document id, or the list.
func (h *Handler) serveOperation(w http.ResponseWriter, r *http.Request, id string) (status int, err error) {
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
		return refuse(http.StatusMethodNotAllowed, "a status document can be read and deleted")
	}
	view, err := h.findOperation(r, id)
	if err != nil {
		return statusOf(err), err
	}
	switch r.Method {
	case http.MethodDelete:
		status, err = h.deleteOperation(r.Context(), view)
		if errors.Is(err, errStopping) {
			respond(w, status, err)
			return 0, nil
		}
		return status, err
	case http.MethodPost:
		return h.postOperation(w, r, view)
	}
	return h.getOperation(w, r, view)
}

func serveAllow(w http.ResponseWriter, methods string) (status int, err error) {
	w.Header().Set("Allow", methods)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return 0, nil
}

// operationView is what r may see of an operation.
type operationView struct {
	record history.Record
	// op is nil of one that is not known to this process any more.
	op *operation
	// members and bytes are done in a second.
	members, bytes float64
}

// viewOf looks at op as it is now. What is being stopped has no rate, and so no
// estimate: how far a rollback is, nobody knows.
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

// average sets the rate of what has ended: that of the whole, or of what was recorded
// before the server died, and not of the time that it was down.
func (v *operationView) average() {
	until := v.record.Ended
	if v.record.State == history.Interrupted {
		until = v.record.Updated
	}
	if seconds := until.Sub(v.record.Started).Seconds(); seconds > 0 {
		v.members, v.bytes = float64(v.record.Done)/seconds, float64(v.record.Bytes)/seconds
	}
}

// findOperation returns what r may see of the operation id.
func (h *Handler) findOperation(r *http.Request, id string) (*operationView, error) {
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

// viewOfRecord looks at a record that this process has not, or no more.
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

// ofTenant reports whether op is of the tenant of r. What another tenant does, not even
// an administrator sees.
func ofTenant(r *http.Request, op *operation) bool {
	tenant, _ := storage.TenantOf(r.Context())
	return op.Tenant == tenant
}

// mayReach reports whether r may see and stop what is principal's.
func (h *Handler) mayReach(r *http.Request, principal string) bool {
	return principal == "" || principal == h.principal(r) || h.administers(r)
}

// administers reports whether r may reach everybody's.
func (h *Handler) administers(r *http.Request) bool {
	return h.Administrator != nil && h.Administrator(r)
}

// getOperation answers in the form that the client prefers.
func (h *Handler) getOperation(w http.ResponseWriter, r *http.Request, view *operationView) (status int, err error) {
	w.Header().Set("Vary", "Accept")
	form := preferredForm(r.Header["Accept"], jsonType, htmlType, eventsType)
	if form == eventsType {
		return h.serveEvents(w, r, view)
	}
	if prefers(r, "processing") && view.op != nil {
		if leave, err := h.enterStream(r); err == nil {
			defer leave()
			return h.awaitOperation(w, r, view.op, form)
		}
	}
	return 0, h.respondView(w, http.StatusOK, form, view)
}

// respondView writes a status document in the form jsonType or htmlType.
func (h *Handler) respondView(w http.ResponseWriter, status int, form string, view *operationView) error {
	if form == htmlType {
		return h.respondPage(w, status, view)
	}
	return h.respondJSON(w, status, view)
}

// awaitOperation sends interim responses until op has ended, and then its status
// document. Who can't get any has his answer at once.
func (h *Handler) awaitOperation(w http.ResponseWriter, r *http.Request, op *operation, form string) (status int, err error) {
	e := h.newEmitter(r, op.Source)
	e.success, e.res, e.monitor = memberSuccess[op.Method], newResponse(w, r), op.monitor
	if e.start(r.Context()) {
		e.res.Header().Set("Preference-Applied", "processing")
		err = h.await(r, op)
	}
	e.stop()
	if err != nil {
		respond(e.res, statusOf(err), err)
	} else {
		err = h.respondView(e.res, http.StatusOK, form, h.viewOf(op))
	}
	return 0, errors.Join(err, e.res.finish())
}

// await waits until op has ended or the client has gone, or returns errNotAdmitted.
func (h *Handler) await(r *http.Request, op *operation) error {
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
