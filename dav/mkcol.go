package dav

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// mkcol makes a collection (RFC 4918 §9.3).
func (h *Handler) mkcol(w http.ResponseWriter, r *request) error {
	if err := noBody(r); err != nil {
		return err
	}
	at, err := h.names().Place(r.Context(), r.name, false)
	if err != nil {
		return err
	}
	if err := h.checkNew(r.Context(), at.Name); err != nil {
		return err
	}
	claim, err := r.confirm(intent{brief: h.transacts(r.Context(), at)}, locktable.Change{Place: at, Membership: true})
	if err != nil {
		return err
	}
	defer claim.release()
	err = preconditions(r, nil)
	if err == nil {
		err = h.names().Unmoved(r.Context(), at, false)
	}
	if err == nil {
		err = h.makeCollection(r.Context(), claim, at)
	}
	if err := claim.end(err); err != nil {
		return err
	}
	if info, err := h.FileSystem.Stat(r.Context(), at.Name); err == nil {
		w.Header().Set("ETag", place.EntityTag(r.Context(), info))
	}
	return succeed(w, http.StatusCreated)
}

// noBody refuses a request body, because a MKCOL's body has no defined meaning
// (RFC 4918 §9.3, §9.3.1).
func noBody(r *request) error {
	n := int(min(r.ContentLength, 1))
	if n < 0 {
		var err error
		if n, err = io.ReadFull(r.Body, make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return cutOff(err)
		}
	}
	if n > 0 {
		return status.New(http.StatusUnsupportedMediaType, "a MKCOL must not have a request body")
	}
	return nil
}

// checkNew makes sure that name does not exist and that its parent does.
func (h *Handler) checkNew(ctx context.Context, name string) error {
	info, err := h.names().Occupant(ctx, name)
	switch {
	case err != nil:
		return err
	case info != nil:
		return errExists
	}
	return h.checkParent(ctx, name)
}

var errExists = status.New(http.StatusMethodNotAllowed, "a resource with this name already exists")

// makeCollection makes a collection at a place that is claimed.
func (h *Handler) makeCollection(ctx context.Context, c *claim, at place.Place) error {
	name := at.Name
	if err := h.checkNew(ctx, name); err != nil {
		return err
	}
	// An earlier resource with this name may have left properties behind.
	if err := h.properties(ctx).Remove(ctx, at.Key); err != nil {
		return err
	}
	err := h.mkdir(ctx, c, name)
	switch {
	case errors.Is(err, fs.ErrExist):
		return errExists
	case status.Of(err) == http.StatusNotFound:
		return errNoParent
	case err == nil:
		h.changedMembers(ctx, c, name)
	}
	return err
}

func (h *Handler) mkdir(ctx context.Context, c *claim, name string) error {
	if c.direct() {
		return h.FileSystem.Mkdir(ctx, name, 0o777)
	}
	return placed(h.engine(c).MakeCollection(ctx, name, 0o777))
}

// placed returns err if package tree has not placed it.
func placed(result tree.Result, err error) error {
	if result == tree.Finished {
		return nil
	}
	return err
}
