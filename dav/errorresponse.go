package dav

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/davd/davd/storage/tree"
)

// respondError writes err as the response: a multi-status that names the
// members that failed (RFC 4918 §9.6.1, §9.8.3, §9.9.2), or a plain one.
func (h *Handler) respondError(w http.ResponseWriter, status int, err error) {
	var partial *tree.PartialError
	if status != http.StatusMultiStatus || !errors.As(err, &partial) {
		respond(w, status, err)
		return
	}
	prefix := h.prefix()
	body, err := newMultistatus(w)
	for _, failure := range partial.Failures {
		if err == nil {
			err = body.failed(prefix, failure.Name, false, statusOf(failure.Err))
		}
	}
	note := ""
	if partial.Unnamed > 0 {
		note = fmt.Sprintf("%d more members failed", partial.Unnamed)
	}
	if err == nil {
		_ = body.close(note) // the client has gone, or not
	}
}
