package dav

import (
	"context"
	"net/http"

	"github.com/davd/davd/storage/tree"
)

// serveDelete removes the resource and all its members (RFC 4918 §9.6).
func (h *Handler) serveDelete(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	if _, err := depth(r, tree.Infinite, "infinity"); err != nil {
		return statusOf(err), err
	}
	if name == "/" {
		return refuse(http.StatusForbidden, "the root of a share can't be deleted")
	}
	if _, err := h.FileSystem.Stat(r.Context(), name); err != nil {
		return statusOf(err), err
	}
	release, err := h.confirm(r, name, "")
	if err != nil {
		return statusOf(err), err
	}
	defer release()
	about := Operation{Source: name}
	return h.operate(w, r, about, false, func(ctx context.Context, _ *response, monitor *tree.Monitor) (int, error) {
		defer release()
		if err := tree.Remove(ctx, h.FileSystem, name, monitor); err != nil {
			return statusOf(err), err
		}
		return http.StatusNoContent, nil
	})
}
