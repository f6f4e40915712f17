package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/davd/davd/storage/tree"
)

// respondError writes err as the response: a multi-status that names the
// members that failed (RFC 4918 §9.6.1, §9.8.3, §9.9.2), or a plain one.
func (h *Handler) respondError(ctx context.Context, w http.ResponseWriter, status int, err error) {
	var partial *tree.PartialError
	var members *lockedMembersError
	switch {
	case errors.As(err, &members):
		h.respondLocked(ctx, w, members)
	case errors.As(err, &partial):
		h.respondPartial(ctx, w, partial)
	default:
		respond(w, status, err)
	}
}

func (h *Handler) respondPartial(ctx context.Context, w http.ResponseWriter, partial *tree.PartialError) {
	body, err := newMultistatus(w)
	for _, failure := range partial.Failures {
		if err == nil {
			err = body.failed(h.hrefOf(ctx, failure.Name), failure.Err)
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

// respondLocked names the locked members because of which nothing was done.
func (h *Handler) respondLocked(ctx context.Context, w http.ResponseWriter, locked *lockedMembersError) {
	body, err := newMultistatus(w)
	for _, root := range locked.roots {
		href := h.hrefOf(ctx, root)
		if err == nil {
			err = body.failed(href, &statusError{
				status: http.StatusLocked, condition: locked.condition, hrefs: []string{href},
			})
		}
	}
	if err == nil && locked.dependent != "" {
		err = body.failed(h.hrefOf(ctx, locked.dependent), &statusError{status: http.StatusFailedDependency})
	}
	if err == nil {
		_ = body.close("") // the client has gone, or not
	}
}
