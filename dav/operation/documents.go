package operation

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// Name is the reserved name, in the root of the server, of the collection of
// status documents. Each operation has one, under a name that can't be guessed; the
// header Location tells it to the client. GET of the collection lists the operations
// of the client's principal. GET of a member returns an [Status]. DELETE of
// a member stops the operation and rolls it back, or forgets an operation that has
// ended.
//
// Only the principal of the operation and an administrator can see a status
// document. To others it does not exist. An operation without a principal is open to
// every client that knows the name, and is in no principal's list. The history
// keeps the document for a day after the operation ends.
const Name = ".davd-operations"

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
func (s *Registry) statusHref(id string) string {
	s.keepTold(id)
	return s.server.Href("/" + Name + "/" + id)
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

// Serve serves the status document id, or the list if id is "".
func (s *Registry) Serve(w http.ResponseWriter, r *http.Request, id string) error {
	w.Header().Set("Cache-Control", "no-store")
	if id == "" {
		return s.serveOperations(w, r)
	}
	switch r.Method {
	case http.MethodOptions:
		return serveAllow(w, operationMethods)
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
	default:
		w.Header().Set("Allow", operationMethods)
		return status.New(http.StatusMethodNotAllowed, "a status document can only be read or deleted")
	}
	view, err := s.findOperation(r, id)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodDelete:
		err := s.deleteOperation(r.Context(), view)
		switch {
		case errors.Is(err, errStopping):
			s.server.Respond(r.Context(), w, err)
			return nil
		case err != nil:
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodPost:
		return s.postOperation(w, r, view)
	}
	return s.getOperation(w, r, view)
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
func (s *Registry) viewOf(op *operation) *operationView {
	view := &operationView{record: s.record(op), op: op}
	s.keepTold(view.record.ID)
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
func (s *Registry) findOperation(r *http.Request, id string) (*operationView, error) {
	if op := s.find(id); op != nil {
		if !ofTenant(r, op) || !s.mayReach(r, op.Principal) {
			return nil, errNoOperation
		}
		return s.viewOf(op), nil
	}
	record, err := s.server.Records().LoadOperation(r.Context(), id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoOperation
	case err != nil:
		return nil, err
	case !s.mayReach(r, record.Principal), outdated(&record):
		return nil, errNoOperation
	}
	return s.viewOfRecord(r.Context(), record), nil
}

// viewOfRecord returns a view of a record whose operation this process does not know.
func (s *Registry) viewOfRecord(ctx context.Context, record history.Record) *operationView {
	view := &operationView{record: record}
	if record.State == history.Running {
		s.server.Interrupted(ctx, &view.record)
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
func ofTenant(r *http.Request, op *operation) bool {
	tenant, _ := storage.TenantOf(r.Context())
	return op.Tenant == tenant
}

// mayReach reports whether r may see and stop operations of principal.
func (s *Registry) mayReach(r *http.Request, principal string) bool {
	return principal == "" || principal == s.server.Principal(r) || s.server.Administers(r)
}

// getOperation answers a GET with the media type that the client prefers.
func (s *Registry) getOperation(w http.ResponseWriter, r *http.Request, view *operationView) error {
	w.Header().Set("Vary", "Accept")
	form := field.PreferredType(r.Header["Accept"], jsonType, htmlType, eventsType)
	if form == eventsType {
		return s.serveEvents(w, r, view)
	}
	if field.PrefersProcessing(r.Header) && view.op != nil {
		if leave, err := s.server.EnterStream(r); err == nil {
			defer leave()
			return s.awaitOperation(w, r, view.op, form)
		}
	}
	return status.Logged(s.respondView(w, http.StatusOK, form, view))
}

// respondView writes a status document of the type form: jsonType or htmlType.
func (s *Registry) respondView(w http.ResponseWriter, status int, form string, view *operationView) error {
	if form == htmlType {
		return s.respondPage(w, status, view)
	}
	return s.respondJSON(w, status, view)
}

// awaitOperation sends interim responses until op ends, and then its status document.
// A client that can't get interim responses gets the document immediately.
func (s *Registry) awaitOperation(w http.ResponseWriter, r *http.Request, op *operation, form string) error {
	res := s.server.Response(w, r)
	about := s.server.Emission(r, op.Method, op.Source)
	about.Monitor = op.monitor
	e := res.Start(about)
	var err error
	if e.Promised() {
		res.Header().Set("Preference-Applied", "processing")
		err = s.await(r, op)
	}
	e.Stop()
	if err != nil {
		s.server.Respond(r.Context(), res, err)
	} else {
		err = s.respondView(res, http.StatusOK, form, s.viewOf(op))
	}
	return status.Logged(errors.Join(err, res.Finish()))
}

// await waits until op ends or the client disconnects. It returns errNotAdmitted if
// the user loses access.
func (s *Registry) await(r *http.Request, op *operation) error {
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	for {
		select {
		case <-op.done:
			return nil
		case <-r.Context().Done():
			return nil
		case <-ticker.C:
			if !s.server.Admits(r) {
				return errNotAdmitted
			}
		}
	}
}
