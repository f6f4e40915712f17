package proxy

import (
	"net/http"
	"path"

	"github.com/davd/davd/dav/operation"
)

// isProbe reports whether a request is a probe of interim responses.
func isProbe(method, name string) bool {
	return method == "COPY" && path.Base(name) == operation.ProbeName
}

// probe answers a probe in place of the upstream, to test the clients' way to this proxy.
func (h *Handler) probe(w http.ResponseWriter, r *http.Request, name string) error {
	leave, err := h.enterOperation(r)
	if err != nil {
		return err
	}
	defer leave()
	return h.registry.Probe(w, h.request(r, operation.Key{}), h.emission(r, path.Dir(name)), name)
}
