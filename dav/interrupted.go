package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// Reasons in the records of operations that the end of the process interrupted.
const (
	interruptedBy = "the server stopped while the operation was under way"

	interruptedFinished = interruptedBy + "; it was finished at the next start"
	interruptedUndone   = interruptedBy + "; it was rolled back at the next start"
	interruptedLeft     = interruptedBy + "; the next start could neither finish nor undo it"
	interruptedRemoval  = interruptedBy + "; what it had removed is gone"
	interruptedCarried  = interruptedBy + ", or just after it; the operation was completed"
	interruptedNothing  = interruptedBy + "; there was nothing to finish or undo: the operation had not changed anything yet, or was complete"
)

// noteInterrupted ends the records of the operations that were under way when the
// process died, with the result of the recovery. If complete is false, there may be
// more to recover, so operations that are not among recovered keep their records.
func (h *Handler) noteInterrupted(ctx context.Context, recovered []tree.Recovery, complete bool) error {
	store := h.allRecords()
	all, err := store.AllOperations(ctx)
	if err != nil {
		return err
	}
	var changed []history.Record
	for _, r := range all {
		if r.State != history.Running {
			continue
		}
		recovery := h.recoveryOf(ofRecord(ctx, r), r, recovered)
		if recovery == nil && !complete {
			continue
		}
		// Records in a list lack the failures.
		if r, err = store.LoadOperation(ctx, r.ID); err != nil {
			return err
		}
		r.Ended = time.Now().UTC().Truncate(time.Microsecond)
		h.interrupt(ofRecord(ctx, r), &r, recovery)
		changed = append(changed, r)
	}
	return store.SaveOperations(ctx, changed...)
}

// recoveryOf returns the recovery of the operation r, or nil if none is known. Claims
// keep operations with the same names from overlapping, so the last one with its names
// is the right one.
func (h *Handler) recoveryOf(ctx context.Context, r history.Record, recovered []tree.Recovery) *tree.Recovery {
	source, destination := h.actedOn(ctx, r.Source, r.Method == methodCopy), ""
	if r.Destination != "" {
		destination = h.actedOn(ctx, r.Destination, false)
	}
	for i := len(recovered) - 1; i >= 0; i-- {
		e := recovered[i].Entry
		tenant, _, ok := tenant.SplitPrincipal(r.Principal)
		if e.Method == r.Method && e.Source == source && e.Destination == destination && e.OfTenant(tenant, ok) {
			return &recovered[i]
		}
	}
	return nil
}

// actedOn returns the canonical name under which the operation used the resource name.
func (h *Handler) actedOn(ctx context.Context, name string, follow bool) string {
	at, err := h.names().Place(ctx, name, follow)
	if err != nil {
		return name
	}
	return at.Name()
}

// ofRecord returns ctx with the tenant of r, as the History names it.
func ofRecord(ctx context.Context, r history.Record) context.Context {
	if tenant, _, ok := tenant.SplitPrincipal(r.Principal); ok {
		return storage.WithTenant(ctx, tenant)
	}
	return ctx
}

// interrupt writes into r that the process died, and what happened to the operation.
func (h *Handler) interrupt(ctx context.Context, r *history.Record, recovery *tree.Recovery) {
	r.State = history.Interrupted
	if recovery == nil {
		r.Reason = h.interruptedReason(ctx, r)
		return
	}
	r.Recovery = string(recovery.Result)
	switch {
	case recovery.Result == tree.Undone:
		r.Reason = interruptedUndone
	case recovery.Result == tree.Left:
		r.Reason = interruptedLeft
	case r.Method == http.MethodDelete:
		r.Reason = interruptedRemoval
	default:
		r.Reason = interruptedFinished
	}
}

// interruptedReason describes the state of an operation that the journal doesn't know.
// It had not changed anything yet, or was complete, or needs no journal.
func (h *Handler) interruptedReason(ctx context.Context, r *history.Record) string {
	_, err := storage.Lstat(ctx, h.FileSystem, r.Source)
	gone := errors.Is(err, fs.ErrNotExist)
	switch {
	case r.Method == "PROPFIND":
		return interruptedBy
	case r.Method == "COPY", !gone && r.Method == "MOVE":
		return interruptedNothing
	case !gone:
		return interruptedRemoval
	}
	return interruptedCarried
}
