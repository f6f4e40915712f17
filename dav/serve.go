package dav

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/compress"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/dav/requestbody"
	"github.com/davd/davd/storage"
)

// serveFuncs serve a request. They have responded if they return nil or a logged error;
// otherwise the caller responds with the error.
var serveFuncs = map[string]func(h *Handler, w http.ResponseWriter, r *request) error{
	"OPTIONS":   (*Handler).options,
	"GET":       (*Handler).get,
	"HEAD":      (*Handler).get,
	"POST":      (*Handler).post,
	"PUT":       (*Handler).put,
	"PATCH":     (*Handler).patch,
	"MKCOL":     (*Handler).mkcol,
	"DELETE":    (*Handler).delete,
	"COPY":      (*Handler).copy,
	"MOVE":      (*Handler).move,
	"LOCK":      (*Handler).lock,
	"UNLOCK":    (*Handler).unlock,
	"PROPFIND":  (*Handler).propfind,
	"PROPPATCH": (*Handler).proppatch,
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w, r, exchange := requestbody.Of(w, r, requestbody.NewPace(h.stallTimeout(), cmp.Or(h.MinRate, defaultMinRate)))
	defer exchange.End()
	var compressor *compress.Writer
	// A file's way must stay free of a writer that could hide the connection's ReadFrom;
	// index has its own compressor.
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		compressor = h.compressor(w, r)
	}
	defer compressor.Release()
	if compressor != nil {
		w = compressor
	}
	process.briefs.note(h)
	r, err := h.withOwner(h.unstripped(r))
	if err == nil {
		err = h.serve(w, r)
	}
	if !status.Answered(err) {
		h.respondErrorTo(w, r, err)
	}
	_ = compressor.Finish() // fails only if the client has gone
	if h.Logger != nil {
		h.Logger(r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	id, isStatus := h.statusID(r.Context(), r.URL.Path)
	if !isStatus && interim.SuccessOf(r.Method) == 0 && !methodTraits[r.Method].writes {
		h.Interim.NoOperation(r)
	}
	serve, known := serveFuncs[r.Method]
	switch {
	case !known:
		return status.New(http.StatusNotImplemented, "the method "+r.Method+" is not implemented")
	case h.FileSystem == nil:
		return status.New(http.StatusInternalServerError, "dav.Handler has no FileSystem")
	}
	if err := field.CheckSingle(r.Header); err != nil {
		return err
	}
	if err := h.self().CheckCross(r); err != nil {
		return err
	}
	r, err := settleBody(r)
	switch {
	case err != nil:
		return err
	case r.Method == http.MethodOptions && r.URL.Path == "*":
		return h.serverOptions(w)
	}
	if isStatus {
		return h.document(w, r, id)
	}
	if id, ok := h.uploadID(r.Context(), r.URL.Path); ok {
		return h.serveUpload(w, r, id)
	}
	if served, err := h.serveAsset(w, r); served {
		return err
	}
	return h.serveResource(w, r, serve)
}

// serveResource serves a request for anything in FileSystem.
func (h *Handler) serveResource(w http.ResponseWriter, r *http.Request, serve func(*Handler, http.ResponseWriter, *request) error) (err error) {
	traits, operates := methodTraits[r.Method], interim.SuccessOf(r.Method) != 0
	req, release := h.pinned(r, operates)
	defer release()
	req.name, err = h.resource(req.Context(), r.URL.Path)
	if err != nil {
		return err
	}
	switch {
	case h.ReadOnly && traits.writes:
		return status.New(http.StatusForbidden, "this share is read-only")
	case isProbe(req):
		return h.probe(w, req)
	case storage.Reserved(req.name):
		return reservedError(traits.writes)
	}
	if traits.writes && !operates {
		return h.serveHeld(w, req, serve)
	}
	return h.serveNow(w, req, serve)
}

// reservedError is the answer to a request for a reserved name.
func reservedError(writes bool) error {
	if writes {
		return status.New(http.StatusForbidden, "the name is reserved for the server")
	}
	return status.New(http.StatusNotFound, "no such resource")
}

// document serves a status document. A client without a name may be a user whose operation it is.
func (h *Handler) document(w http.ResponseWriter, r *http.Request, id string) error {
	err := operation.Documents{Registry: h.registry(), Access: operationServer{h.kept()}, Files: h.hasForms()}.Serve(w, r, id)
	if h.Challenge != nil && storage.PrincipalOf(r.Context()) == "" && !status.Answered(err) && status.Of(err) == http.StatusNotFound {
		return storage.Refused("access", r.URL.Path, true)
	}
	return err
}

// pinned returns a request with a context for one state of the shares and their rights, so that
// these don't change between the check of a right and its use. An operation that outlives its
// request has a context of its own, from package tree.
func (h *Handler) pinned(r *http.Request, operates bool) (req *request, release func()) {
	if !h.restricted() || operates && r.Method != "PROPFIND" {
		return &request{Request: r, h: h}, func() {}
	}
	ctx, release := storage.Pin(r.Context(), h.FileSystem)
	return &request{Request: r.WithContext(ctx), h: h}, release
}

func (h *Handler) serveNow(w http.ResponseWriter, r *request, serve func(*Handler, http.ResponseWriter, *request) error) error {
	err := h.authorize(r)
	switch {
	case err != nil:
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		err = r.revealed(func() error { return serve(h, w, r) })
	default:
		err = serve(h, w, r)
	}
	if !status.Answered(err) && status.Of(err) == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", h.allowAt(r.Context(), r.name))
	}
	return err
}

// serveHeld serves a request that changes one resource, with interim responses if it takes
// long after the body has arrived.
func (h *Handler) serveHeld(w http.ResponseWriter, r *request, serve func(*Handler, http.ResponseWriter, *request) error) error {
	about := h.emission(r.Request, r.Method, r.name)
	about.Complete = requestbody.From(r.Request).Complete
	x := interim.Hold(w, about, h.stallTimeout(), &h.kept().answers)
	defer x.Abandon() // if serve panics
	err := h.serveNow(x, r, serve)
	x.Quiet()
	if !status.Answered(err) {
		h.respondErrorTo(x, r.Request, err)
	}
	return status.Logged(errors.Join(err, x.Finish()))
}
