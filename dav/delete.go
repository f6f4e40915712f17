package dav

import (
	"context"
	"errors"
	"net/http"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// delete removes the resource and all its members (RFC 4918 §9.6).
func (h *Handler) delete(w http.ResponseWriter, r *request) error {
	if r.name == "/" {
		return status.New(http.StatusForbidden, "the root of a share can't be deleted")
	}
	return h.undertake(w, r, func() (*plan, error) {
		at, info, err := h.find(r.Context(), r.name)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			if _, err := r.depth("infinity"); err != nil {
				return nil, err
			}
		}
		return &plan{
			about:   Operation{Source: r.name},
			changes: []change{{place: at, tree: true, member: true}},
			again: func() error {
				if err := h.unmoved(r.Context(), at, false); err != nil {
					return err
				}
				return h.preconditionsOf(r, at.name())
			},
			success: http.StatusNoContent,
			work: func(ctx context.Context, c *claim, monitor *tree.Monitor) error {
				return askedNames(h.remove(ctx, c, at, monitor), at)
			},
		}, nil
	})
}

// remove removes the tree at a place. c is the claim for it.
func (h *Handler) remove(ctx context.Context, c *claim, at place, monitor *tree.Monitor) error {
	name := at.name()
	err := h.engine(c, at).Remove(ctx, name, monitor)
	// If only the resource itself remains, a 207 would look like a partial success. So the
	// answer is the plain error.
	var partial *tree.PartialError
	if errors.As(err, &partial) && len(partial.Failures) == 1 && partial.Failures[0].Name == name {
		err = partial.Failures[0].Err
	}
	return h.failureOf(err)
}
