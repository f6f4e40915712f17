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
	return h.undertake(w, r, func() (*plan, error) {
		at, info, err := h.find(r.Context(), name)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			if _, err := depth(r, tree.Infinite, "infinity"); err != nil {
				return nil, err
			}
		}
		return &plan{
			about:   Operation{Source: name},
			changes: []change{{place: at, tree: true, member: true}},
			again: func() error {
				if err := h.unmoved(r.Context(), at, false); err != nil {
					return err
				}
				return h.preconditionsOf(r, at.name())
			},
			work: func(ctx context.Context, c *claim, monitor *tree.Monitor) (int, error) {
				status, err := h.remove(ctx, c, at, monitor)
				return status, askedNames(err, at)
			},
		}, nil
	})
}

// remove removes the tree at a place. c is the claim for it.
func (h *Handler) remove(ctx context.Context, c *claim, at place, monitor *tree.Monitor) (status int, err error) {
	name := at.name()
	err = h.engine(c, at).Remove(ctx, name, monitor)
	// If only the resource itself remains, a 207 would look like a partial success. So the
	// answer is the plain error.
	var partial *tree.PartialError
	if errors.As(err, &partial) && len(partial.Failures) == 1 && partial.Failures[0].Name == name {
		err = partial.Failures[0].Err
	}
	if failure := h.failureOf(err); failure != nil {
		return statusOf(failure), failure
	}
	return http.StatusNoContent, err
}
