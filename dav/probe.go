package dav

import (
	"net/http"
	"path"

	"github.com/davd/davd/dav/operation"
)

// isProbe reports whether r is a COPY of the operation.ProbeName of a collection.
func isProbe(r *request) bool {
	return r.Method == "COPY" && path.Base(r.name) == operation.ProbeName
}

// probe answers a probe of name. It uses the storage only to check that the
// collection exists.
func (h *Handler) probe(w http.ResponseWriter, r *request) error {
	if err := h.checkParent(r.Context(), r.name); err != nil {
		return err
	}
	leave, err := r.enterOperation()
	if err != nil {
		return err
	}
	defer leave()
	about := h.emission(r.Request, r.Method, path.Dir(r.name))
	return h.registry().Probe(w, r.operationRequest(operation.Key{}), about, r.name)
}
