package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// respondError writes err as the response: a multi-status that names the members that
// failed (RFC 4918 §9.6.1, §9.8.3, §9.9.2), or a plain error.
func (h *Handler) respondError(ctx context.Context, w http.ResponseWriter, err error) {
	var partial *tree.PartialError
	var members *lockedMembersError
	switch {
	case errors.As(err, &members):
		h.respondLocked(ctx, w, members)
	case errors.As(err, &partial):
		h.respondPartial(ctx, w, partial)
	default:
		respond(w, statusOf(err), withSpaceCondition(err))
	}
}

// Preconditions of RFC 4331 §6.
const (
	conditionQuota     = "quota-not-exceeded"
	conditionDiskSpace = "sufficient-disk-space"
)

// withSpaceCondition adds to err why a 507 was sent: either the client's quota or the
// disk is full.
func withSpaceCondition(err error) error {
	var own *statusError
	switch {
	case errors.As(err, &own), !storage.NoSpace(err):
		return err
	case errors.Is(err, syscall.EDQUOT):
		own = &statusError{condition: conditionQuota, reason: "the quota is used up"}
	default:
		own = &statusError{condition: conditionDiskSpace, reason: "the storage is full"}
	}
	own.status = http.StatusInsufficientStorage
	return own
}

func (h *Handler) respondPartial(ctx context.Context, w http.ResponseWriter, partial *tree.PartialError) {
	body, err := newMultistatus(w)
	for _, failure := range partial.Failures {
		if err == nil {
			err = body.failed(h.hrefOf(ctx, failure.Name), withSpaceCondition(failure.Err))
		}
	}
	note := ""
	if partial.Unnamed > 0 {
		note = fmt.Sprintf("%d more members failed", partial.Unnamed)
	}
	if err == nil {
		_ = body.close(note) // fails only if the client has gone
	}
}

// respondLocked names the locked members that made the server refuse the request.
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
		_ = body.close("") // fails only if the client has gone
	}
}
