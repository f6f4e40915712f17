package dav

import (
	"context"
	"errors"
	"net/http"

	"github.com/davd/davd/storage/tree"
)

// serveDelete removes the resource and all its members (RFC 4918 §9.6).
func (h *Handler) serveDelete(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	if name == "/" {
		return refuse(http.StatusForbidden, "the root of a share can't be deleted")
	}
	info, err := h.stat(r.Context(), name)
	if err != nil {
		return statusOf(err), err
	}
	if info.IsDir() {
		if _, err := depth(r, tree.Infinite, "infinity"); err != nil {
			return statusOf(err), err
		}
	}
	claim, err := h.confirm(r, change{name: name, tree: true, member: true})
	if err != nil {
		return statusOf(err), err
	}
	defer claim.release()
	if err := h.preconditionsOf(r, name); err != nil {
		return statusOf(err), err
	}
	about := Operation{Source: name}
	return h.operate(w, r, about, false, func(ctx context.Context, _ *response, monitor *tree.Monitor) (int, error) {
		defer claim.release()
		err := h.engine(claim).Remove(ctx, name, monitor)
		// That the resource itself stays is not a part of something that
		// succeeded, and a 207 would look like that.
		var partial *tree.PartialError
		if errors.As(err, &partial) && len(partial.Failures) == 1 && partial.Failures[0].Name == name {
			err = partial.Failures[0].Err
		}
		if failure := failureOf(err); failure != nil {
			return statusOf(failure), failure
		}
		return http.StatusNoContent, err
	})
}
