package operation

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
)

// operationMethods are the methods of a status document, listMethods those of the
// list.
const (
	operationMethods = "OPTIONS, DELETE, GET, HEAD, POST"
	listMethods      = "OPTIONS, GET, HEAD"
)

// eventInterval is the shortest time between two events, and between two checks that the
// client is still admitted.
const eventInterval = time.Second

// errNoOperation is for an operation that does not exist or belongs to another
// principal.
var errNoOperation = &status.Error{Status: http.StatusNotFound, Reason: "no such operation"}

// Documents serves the status documents of a Registry's operations.
type Documents struct {
	Registry *Registry
	Access   Access
	// Files says that a browser can open the root of the server, and the pages then refer to it.
	Files bool
}

// Serve serves the status document id, or the list if id is "".
func (d Documents) Serve(w http.ResponseWriter, r *http.Request, id string) error {
	w.Header().Set("Cache-Control", "no-store")
	if id == "" {
		return d.serveList(w, r)
	}
	switch r.Method {
	case http.MethodOptions:
		return serveAllow(w, operationMethods)
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
	default:
		w.Header().Set("Allow", operationMethods)
		return status.New(http.StatusMethodNotAllowed, "a status document can only be read or deleted")
	}
	op, v, err := d.find(r, id)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodDelete:
		err := d.delete(r, op, v)
		switch {
		case errors.Is(err, errStopping):
			d.Registry.server.Respond(r.Context(), w, err)
			return nil
		case err != nil:
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodPost:
		return d.post(w, r, op, v)
	}
	return d.get(w, r, op, v)
}

func serveAllow(w http.ResponseWriter, methods string) error {
	w.Header().Set("Allow", methods)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// find returns the operation id and a view of it. op is nil if only the record is left. The
// error is errNoOperation if r may not see the operation.
func (d Documents) find(r *http.Request, id string) (op *operation, v *view, err error) {
	if op := d.Registry.find(id); op != nil {
		if !ofTenant(r, op) || !d.mayReach(r, op.Principal) {
			return nil, nil, errNoOperation
		}
		return op, d.Registry.view(op), nil
	}
	status, err := d.Registry.load(r.Context(), id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, errNoOperation
	case err != nil:
		return nil, nil, err
	}
	v = d.viewOfRecord(r.Context(), status)
	if !d.mayReach(r, status.Record.Principal) || v.outdated() {
		return nil, nil, errNoOperation
	}
	if v.running() {
		op = d.Registry.newFar(r.Context(), status, Key{})
	}
	return op, v, nil
}

// load returns an operation that this process doesn't work on.
func (s *Registry) load(ctx context.Context, id string) (cluster.Status, error) {
	if peers := s.server.Peers(); peers != nil {
		return peers.Load(ctx, id)
	}
	record, err := s.server.Records().LoadOperation(ctx, id)
	return cluster.Status{Record: record}, err
}

// viewOfRecord returns a view of an operation that this process does not know.
func (d Documents) viewOfRecord(ctx context.Context, known cluster.Status) *view {
	v := &view{Record: known.Record, Stopping: known.Stopping}
	switch {
	case v.State == history.Running && known.Alive:
		v.Status = 0 // That is the status it will have.
		return v
	case v.State == history.Running:
		d.Access.Interrupted(ctx, &v.Record)
		v.Ended, v.Status = v.Updated, 0
	}
	v.average()
	return v
}

// ofTenant reports whether op belongs to the tenant of r. Not even an administrator
// sees the operations of another tenant.
func ofTenant(r *http.Request, op *operation) bool {
	tenant, _ := storage.TenantOf(r.Context())
	return op.Tenant == tenant
}

// mayReach reports whether r may see and stop operations of principal.
func (d Documents) mayReach(r *http.Request, principal string) bool {
	return principal == "" || principal == d.Access.Principal(r) || d.Access.Administers(r)
}

// get answers a GET with the media type that the client prefers.
func (d Documents) get(w http.ResponseWriter, r *http.Request, op *operation, v *view) error {
	w.Header().Set("Vary", "Accept")
	form := field.PreferredType(r.Header["Accept"], jsonType, htmlType, eventsType)
	if form == eventsType {
		defer d.Registry.watch(op)()
		return d.serveEvents(w, r, op, v)
	}
	if field.PrefersProcessing(r.Header) && v.running() {
		if leave, err := d.Access.EnterStream(r); err == nil {
			defer leave()
			defer d.Registry.watch(op)()
			return d.await(w, r, op, form)
		}
	}
	return status.Logged(d.respond(r.Context(), w, form, d.shownTo(r, v)))
}

// shownTo returns v as the client of r sees it.
func (d Documents) shownTo(r *http.Request, v *view) *view {
	shown := d.Registry.shownTo(r.Context(), v)
	shown.own = d.owns(r, v)
	return shown
}

// respond writes a status document of the type form: jsonType or htmlType.
func (d Documents) respond(ctx context.Context, w http.ResponseWriter, form string, v *view) error {
	if form == htmlType {
		return d.respondPage(w, v, v.Principal != "" || d.Access.OnePerson())
	}
	return browser.WriteJSON(w, http.StatusOK, newStatus(v, d.Registry.hrefIn(ctx)))
}

// await sends interim responses until op ends, and then its status document. A client
// that can't get interim responses gets the document immediately.
func (d Documents) await(w http.ResponseWriter, r *http.Request, op *operation, form string) error {
	server := d.Registry.server
	res := server.Response(w, r)
	about := server.Emission(r, op.Method, op.Source)
	about.Monitor = op.monitor
	e := res.Start(about)
	var err error
	if e.Promised() {
		res.Header().Set("Preference-Applied", "processing")
		err = d.follow(r, op, func(time.Time) error { return nil })
	}
	e.Stop()
	if err != nil {
		server.Respond(r.Context(), res, err)
	} else {
		err = d.respond(r.Context(), res, form, d.shownTo(r, d.Registry.view(op)))
	}
	return status.Logged(errors.Join(err, res.Finish()))
}

// follow calls each once per eventInterval until op ends, the client disconnects, or each
// fails. It returns errNotAdmitted if the user loses access.
func (d Documents) follow(r *http.Request, op *operation, each func(now time.Time) error) error {
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	for {
		select {
		case <-op.done:
			return nil
		case <-r.Context().Done():
			return nil
		case now := <-ticker.C:
			if !d.Access.Admits(r) {
				return errNotAdmitted
			}
			if err := each(now); err != nil {
				return err
			}
		}
	}
}

// errNotAdmitted ends the answer to a user who was removed while it was sent.
var errNotAdmitted = &status.Error{Status: http.StatusForbidden, Reason: "the user no longer has access"}
