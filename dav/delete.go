package dav

import (
	"context"
	"errors"
	"net/http"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// delete removes the resource and all its members (RFC 4918 §9.6).
func (h *Handler) delete(w http.ResponseWriter, r *request) error {
	if r.name == "/" {
		return status.New(http.StatusForbidden, "the root of a share can't be deleted")
	}
	if err := h.checkMountPoint(r.Context(), r.URL.Path); err != nil {
		return err
	}
	return h.undertake(w, r, func() (plan, error) {
		at, info, err := h.names().Find(r.Context(), r.name)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			if _, err := r.depth("infinity"); err != nil {
				return nil, err
			}
		}
		return &deletePlan{r: r, at: at}, nil
	})
}

// deletePlan is the plan of a DELETE.
type deletePlan struct {
	r  *request
	at place.Place
}

func (p *deletePlan) Resources() (source, destination string) { return p.r.name, "" }

func (p *deletePlan) changes() []locktable.Change {
	return []locktable.Change{{Place: p.at, Tree: true, Membership: true}}
}

// brief reports whether the tree is removed in one step. If the user may not remove every member, the
// members are removed one by one.
func (p *deletePlan) brief(ctx context.Context) bool {
	h := p.r.h
	return h.transacts(ctx, p.at) && storage.Allowed(ctx, h.FileSystem, p.at.Name, storage.RightDelete, true) == nil
}

func (p *deletePlan) Success() int { return http.StatusNoContent }

func (p *deletePlan) recheck() error {
	if err := p.r.h.names().Unmoved(p.r.Context(), p.at, false); err != nil {
		return err
	}
	if err := p.r.h.authorize(p.r); err != nil {
		return err
	}
	return p.r.preconditionsOf(p.at.Name)
}

func (p *deletePlan) do(ctx context.Context, c *claim, monitor *tree.Monitor) error {
	name := p.at.Name
	err := p.r.h.engine(c, p.at).Remove(ctx, name, monitor)
	// If only the resource itself remains, a 207 would look like a partial success. So the
	// answer is the plain error.
	if partial, ok := errors.AsType[*tree.PartialError](err); ok && len(partial.Failures) == 1 && partial.Failures[0].Name == name {
		err = partial.Failures[0].Err
	}
	return askedNames(p.r.h.failureOf(err), p.at)
}
