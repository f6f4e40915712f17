package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// copy copies the resource and, unless Depth is 0, all its members (RFC 4918 §9.8).
func (h *Handler) copy(w http.ResponseWriter, r *request) error {
	return h.undertake(w, r, func() (plan, error) {
		t, err := r.checkTransfer(true)
		return &copyPlan{*t}, err
	})
}

// move moves the resource and all its members (RFC 4918 §9.9).
func (h *Handler) move(w http.ResponseWriter, r *request) error {
	return h.undertake(w, r, func() (plan, error) {
		t, err := r.checkTransfer(false)
		return &movePlan{*t}, err
	})
}

// copyPlan is the plan of a COPY.
type copyPlan struct{ transfer }

// changes has no source: a COPY doesn't change it, so locks on it don't matter (RFC 4918
// §7.5.1).
func (p *copyPlan) changes() []locktable.Change {
	return []locktable.Change{{Place: p.dst, Tree: true, Membership: !p.replaces}}
}

// brief is false, because making the copy may take long. Putting it in place does not.
func (p *copyPlan) brief(context.Context) bool { return false }

func (p *copyPlan) do(ctx context.Context, c *claim, monitor *tree.Monitor) error {
	ctx = p.r.withBudget(ctx)
	if err := p.mayCopyProperties(ctx); err != nil {
		return err
	}
	engine := p.h.engine(c, p.src, p.dst)
	if p.h.transacts(ctx, p.dst) {
		engine.Transaction = c.shared.transaction()
	}
	return p.result(engine.Copy(ctx, p.src.Name, p.dst.Name, p.depth, monitor))
}

// movePlan is the plan of a MOVE.
type movePlan struct{ transfer }

func (p *movePlan) changes() []locktable.Change {
	return []locktable.Change{{Place: p.src, Tree: true, Membership: true}, {Place: p.dst, Tree: true, Membership: !p.replaces}}
}

// brief reports whether one storage has both names. Otherwise everything has to be copied.
func (p *movePlan) brief(ctx context.Context) bool {
	fsys := p.h.FileSystem
	return p.h.transacts(ctx, p.src, p.dst) && storage.Part(ctx, fsys, p.src.Name) == storage.Part(ctx, fsys, p.dst.Name)
}

func (p *movePlan) do(ctx context.Context, c *claim, monitor *tree.Monitor) error {
	if p.respells {
		return p.result(p.respell(ctx, c))
	}
	return p.result(p.h.engine(c, p.src, p.dst).Move(ctx, p.src.Name, p.dst.Name, monitor))
}

// transfer is a checked COPY or MOVE.
type transfer struct {
	h        *Handler
	r        *request
	src, dst place.Place
	// follow: a symbolic link at the end of src is followed.
	follow     bool
	depth      int
	moves      bool
	mayReplace bool
	replaces   bool // dst exists
	// respells: dst is another spelling of src, in a file system that folds names.
	respells bool
}

// checkTransfer refuses an impossible transfer before anything changes. follow says
// that the request is about the target of a symbolic link, not about the link. It never
// returns nil.
func (r *request) checkTransfer(follow bool) (*transfer, error) {
	t := &transfer{h: r.h, r: r, follow: follow, moves: r.Method == methodMove}
	dst, err := r.h.destination(r.Request)
	if err == nil && t.moves {
		err = r.h.checkMountPoint(r.Context(), r.URL.Path)
	}
	if err != nil {
		return t, err
	}
	if t.depth, err = r.depth("0", "infinity"); err != nil {
		return t, err
	}
	if t.mayReplace, err = r.overwrite(); err != nil {
		return t, err
	}
	if t.src, err = r.h.names().Place(r.Context(), r.name, follow); err != nil {
		return t, err
	}
	if t.dst, err = r.h.names().Place(r.Context(), dst, false); err != nil {
		return t, err
	}
	info, err := r.h.names().Stat(r.Context(), t.src.Name)
	if err != nil {
		return t, err
	}
	return t, t.inspect(r.Context(), info)
}

func (t *transfer) Resources() (source, destination string) { return t.src.Asked, t.dst.Asked }

// Success is the status of RFC 4918 §9.8.5 and §9.9.4.
func (t *transfer) Success() int {
	if t.replaces {
		return http.StatusNoContent
	}
	return http.StatusCreated
}

func (t *transfer) recheck() error {
	ctx := t.r.Context()
	info, err := t.h.names().Look(ctx, t.src, t.follow)
	if err == nil {
		err = t.h.names().Unmoved(ctx, t.dst, false)
	}
	if err == nil {
		err = t.inspect(ctx, info)
	}
	if err == nil {
		err = t.h.authorize(t.r)
	}
	if err == nil {
		err = t.r.preconditionsOf(t.src.Name)
	}
	return err
}

// result returns err as the client sees it.
func (t *transfer) result(err error) error { return t.h.failureOf(askedNames(err, t.src, t.dst)) }

// inspect checks what exists at the source of t, which info describes, and at its
// destination.
func (t *transfer) inspect(ctx context.Context, info fs.FileInfo) error {
	if t.moves && t.depth == 0 && info.IsDir() {
		return status.New(http.StatusBadRequest, "the header Depth must be infinity for the MOVE of a collection") // RFC 4918 §9.9.2
	}
	if err := t.checkOverlap(ctx); err != nil {
		return err
	}
	if err := t.h.checkParent(ctx, t.dst.Name); err != nil {
		return err
	}
	_, err := storage.Lstat(ctx, t.h.FileSystem, t.dst.Name)
	t.replaces = err == nil && !t.respells
	switch {
	case t.replaces && !t.mayReplace:
		return status.New(http.StatusPreconditionFailed, "the destination exists and the header Overwrite is F")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case t.replaces:
		return t.h.destinationAllowed(ctx, t.dst.Asked, storage.RightDelete, true)
	}
	return nil
}
