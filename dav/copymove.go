package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// serveCopy copies the resource and, unless Depth is 0, all its members (RFC
// 4918 §9.8).
func (h *Handler) serveCopy(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	t, err := h.checkTransfer(r, name, "0", "infinity")
	if err != nil {
		return statusOf(err), err
	}
	// Only what is written must not be locked (RFC 4918 §7.5.1).
	claim, err := h.confirm(r, t.dst, "")
	if err != nil {
		return statusOf(err), err
	}
	return h.transfer(w, r, t, claim, func(ctx context.Context, monitor *tree.Monitor) error {
		return tree.Copy(ctx, h.FileSystem, t.src, t.dst, t.depth, monitor)
	})
}

// serveMove moves the resource and all its members (RFC 4918 §9.9).
func (h *Handler) serveMove(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	t, err := h.checkTransfer(r, name, "infinity")
	if err != nil {
		return statusOf(err), err
	}
	claim, err := h.confirm(r, t.src, t.dst)
	if err != nil {
		return statusOf(err), err
	}
	return h.transfer(w, r, t, claim, func(ctx context.Context, monitor *tree.Monitor) error {
		return tree.Move(ctx, h.FileSystem, t.src, t.dst, monitor)
	})
}

// transfer runs work, which is a COPY or MOVE, and answers.
func (h *Handler) transfer(w http.ResponseWriter, r *http.Request, t transfer, c *claim, work func(context.Context, *tree.Monitor) error) (status int, err error) {
	defer c.release()
	about := Operation{Source: t.src, Destination: t.dst}
	return h.operate(w, r, about, false, func(ctx context.Context, _ *response, monitor *tree.Monitor) (int, error) {
		defer c.release()
		status := http.StatusCreated
		if t.replaces {
			status = http.StatusNoContent
		}
		err := work(ctx, monitor)
		var leftover *tree.LeftoverError
		if err != nil && !errors.As(err, &leftover) {
			return statusOf(err), err
		}
		if r.Method == "MOVE" {
			c.end(t.src)
		}
		return status, err
	})
}

// transfer is a checked COPY or MOVE.
type transfer struct {
	src, dst string
	depth    int
	replaces bool // there is something at dst
}

// checkTransfer refuses what can't be done before anything is touched.
func (h *Handler) checkTransfer(r *http.Request, src string, depths ...string) (t transfer, err error) {
	t.src = src
	if t.dst, err = h.destination(r); err != nil {
		return t, err
	}
	if t.depth, err = depth(r, tree.Infinite, depths...); err != nil {
		return t, err
	}
	mayReplace, err := overwrite(r)
	if err != nil {
		return t, err
	}
	ctx, fsys := r.Context(), h.FileSystem
	if _, err := fsys.Stat(ctx, t.src); err != nil {
		return t, err
	}
	if tree.Overlap(t.src, t.dst) {
		return t, tree.ErrOverlap
	}
	parent, err := fsys.Stat(ctx, path.Dir(t.dst))
	if statusOf(err) == http.StatusNotFound || (err == nil && !parent.IsDir()) {
		return t, &statusError{http.StatusConflict, "the collection that is to hold the destination does not exist"}
	}
	if err != nil {
		return t, err
	}
	_, err = storage.Lstat(ctx, fsys, t.dst)
	switch {
	case err == nil:
		t.replaces = true
		if !mayReplace {
			return t, &statusError{http.StatusPreconditionFailed, "the destination exists and the header Overwrite is F"}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return t, err
	}
	return t, nil
}
