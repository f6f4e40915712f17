package dav

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
)

// Recover cleans up after a crash. Call it before the first request.
//
// It finishes or undoes every COPY, MOVE and DELETE that the journal of State lists as unfinished,
// with its dead properties and locks. It releases locks whose LOCK had not created its
// resource yet. In the history, it marks operations that were running as interrupted.
//
// An error loses nothing: call Recover again, and serve no requests until it succeeds.
//
// After that, Recover may be called at any time, also while requests are served. It then finishes
// or undoes those operations that were left before, for example because their storage was not
// available. It waits for requests that use the same names, and leaves operations of this process
// alone.
//
// With a State that other nodes share, TakeOver does all this for nodes that are dead. Recover then
// only ends the records of their listings.
//
// If the Handler is ReadOnly, Recover does nothing and leaves the journal as it is.
func (h *Handler) Recover(ctx context.Context) (recovered []tree.Recovery, err error) {
	if h.ReadOnly {
		return nil, nil
	}
	ctx = storage.Unrestricted(ctx)
	if h.node() != nil {
		return nil, recoverer{h}.recoverNode(ctx)
	}
	if err := h.loadUploads(ctx); err != nil {
		return nil, err
	}
	if h.journal() != nil {
		engine := h.engine(&claim{locks: h.locks()})
		engine.Persist = nil // on an error, the caller tries again
		recovered, err = engine.RecoverWith(ctx, recoverer{h}.claim)
	}
	if h.kept().recovered.Load() {
		return recovered, errors.Join(err, recoverer{h}.noteRecovered(ctx, recovered))
	}
	if err = errors.Join(err, (recoverer{h}).noteInterrupted(ctx, recovered, err == nil)); err != nil {
		return recovered, err
	}
	released, err := (recoverer{h}).releaseOrphans(ctx, recovered)
	if err == nil {
		h.kept().recovered.Store(true)
	}
	return append(recovered, released...), err
}

// recoverer cleans up the state of a Handler after a crash.
type recoverer struct{ *Handler }

// claim claims the names of an entry of the journal. If the entry belongs to an operation of this
// process, it returns neither a function nor an error.
func (v recoverer) claim(ctx context.Context, e tree.Entry) (release func(), err error) {
	common := v.shared()
	if _, running := common.entries.Load(e.ID); running {
		return nil, nil
	}
	var scopes []operation.Scope
	for _, name := range []string{e.Source, e.Destination} {
		if name == "" || name == e.Source && e.Method == methodCopy {
			continue
		}
		key := name
		if at, err := v.names().Place(ctx, name, false); err == nil {
			key = at.Key // Otherwise recovery will fail, with a better error.
		}
		scopes = append(scopes, operation.Scope{Name: key, Tree: true})
	}
	return common.claims.Acquire(ctx, tenant.Prefix(ctx), scopes...)
}

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
func (v recoverer) noteInterrupted(ctx context.Context, recovered []tree.Recovery, complete bool) error {
	due := func(r history.Record) bool { return r.State == history.Running }
	return v.note(ctx, recovered, due, func(recovery *tree.Recovery) bool { return recovery != nil || complete })
}

// noteRecovered notes the results of operations that the first Recover had left.
func (v recoverer) noteRecovered(ctx context.Context, recovered []tree.Recovery) error {
	settled := func(recovery *tree.Recovery) bool { return recovery != nil && recovery.Result != tree.Left }
	if !slices.ContainsFunc(recovered, func(r tree.Recovery) bool { return settled(&r) }) {
		return nil
	}
	due := func(r history.Record) bool { return r.State == history.Interrupted && r.Recovery == string(tree.Left) }
	return v.note(ctx, recovered, due, settled)
}

// note writes what happened to the operations that are due into their records. The argument of
// settled is the recovery of an operation, or nil if none is known; if settled returns false, the
// record stays as it is.
func (v recoverer) note(ctx context.Context, recovered []tree.Recovery, due func(history.Record) bool, settled func(*tree.Recovery) bool) error {
	store := v.allRecords()
	all, err := store.AllOperations(ctx)
	if err != nil {
		return err
	}
	var changed []history.Record
	for _, r := range all {
		if !due(r) {
			continue
		}
		recovery := v.recoveryOf(ofRecord(ctx, r), r, recovered)
		if !settled(recovery) {
			continue
		}
		// Records in a list lack the failures.
		if r, err = store.LoadOperation(ctx, r.ID); err != nil {
			return err
		}
		if r.State == history.Running {
			r.Ended = time.Now().UTC().Truncate(time.Microsecond)
		}
		v.interrupt(ofRecord(ctx, r), &r, recovery)
		changed = append(changed, r)
	}
	return store.SaveOperations(ctx, changed...)
}

// recoveryOf returns the recovery of the operation r, or nil if none is known. Claims
// keep operations with the same names from overlapping, so the last one with its names
// is the right one.
func (v recoverer) recoveryOf(ctx context.Context, r history.Record, recovered []tree.Recovery) *tree.Recovery {
	source, destination := v.actedOn(ctx, r.Source, r.Method == methodCopy), ""
	if r.Destination != "" {
		destination = v.actedOn(ctx, r.Destination, false)
	}
	tenant, _, ok := tenant.SplitPrincipal(r.Principal)
	for i, each := range slices.Backward(recovered) {
		e := each.Entry
		if e.Method == r.Method && e.Source == source && e.Destination == destination && e.OfTenant(tenant, ok) {
			return &recovered[i]
		}
	}
	return nil
}

// actedOn returns the canonical name under which the operation used the resource name.
func (v recoverer) actedOn(ctx context.Context, name string, follow bool) string {
	at, err := v.names().Place(ctx, name, follow)
	if err != nil {
		return name
	}
	return at.Name
}

// ofRecord returns ctx with the tenant of r, as the History names it.
func ofRecord(ctx context.Context, r history.Record) context.Context {
	if tenant, _, ok := tenant.SplitPrincipal(r.Principal); ok {
		return storage.WithTenant(ctx, tenant)
	}
	return ctx
}

// interrupt writes into r that the process died, and what happened to the operation.
func (v recoverer) interrupt(ctx context.Context, r *history.Record, recovery *tree.Recovery) {
	r.State = history.Interrupted
	if recovery == nil {
		r.Reason = v.interruptedReason(ctx, r)
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
func (v recoverer) interruptedReason(ctx context.Context, r *history.Record) string {
	_, err := storage.Lstat(ctx, v.FileSystem, r.Source)
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

// releaseOrphans releases locks on missing resources. A LOCK leaves one if the process
// dies before the LOCK has created the resource (RFC 4918 §7.3). No client knows the
// token of such a lock, so none could release it. releaseOrphans keeps a lock whose
// parent collection is missing too. It keeps all locks if the share is empty or not the
// one that the journal knows, because the share's disk may not be mounted.
func (v recoverer) releaseOrphans(ctx context.Context, recovered []tree.Recovery) ([]tree.Recovery, error) {
	other := func(r tree.Recovery) bool { return errors.Is(r.Err, tree.ErrOtherShare) }
	manager := v.locks().Manager()
	if manager == nil || slices.ContainsFunc(recovered, other) {
		return nil, nil
	}
	contexts, err := []context.Context{ctx}, error(nil)
	if tenants, ok := manager.(*tenant.Manager); ok {
		contexts, err = tenants.Contexts(ctx)
	}
	var undone []tree.Recovery
	for _, ctx := range contexts {
		released, releaseErr := v.releaseOrphansOf(ctx, manager)
		undone, err = append(undone, released...), errors.Join(err, releaseErr)
	}
	return undone, err
}

// releaseOrphansOf is releaseOrphans for one tree.
func (v recoverer) releaseOrphansOf(ctx context.Context, manager tenant.LockManager) ([]tree.Recovery, error) {
	found, err := manager.Find(ctx, time.Now(), "/", true)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	empty := map[string]bool{}
	var undone []tree.Recovery
	for _, l := range found {
		root, err := v.rootOf(ctx, l.Root)
		if err != nil {
			continue // Its storage is not available.
		}
		if _, known := empty[root]; !known {
			empty[root] = v.isEmpty(ctx, root)
		}
		if empty[root] || !v.isOrphan(ctx, l) {
			continue
		}
		if err := manager.Release(ctx, time.Now(), l.Token); err != nil && !errors.Is(err, webdav.ErrNoSuchLock) {
			return undone, err
		}
		undone = append(undone, tree.Recovery{Entry: tree.Entry{Method: "LOCK", Source: l.Root}, Result: tree.Undone})
	}
	return undone, nil
}

// rootOf returns the root of the share that contains name.
func (v recoverer) rootOf(ctx context.Context, name string) (string, error) {
	names := v.journalNames()
	if names == nil {
		return "/", nil
	}
	root, _, err := names.Storage(ctx, name)
	return cmp.Or(root, "/"), err
}

// isEmpty reports whether the share with that root has no members, or can't be read.
func (v recoverer) isEmpty(ctx context.Context, root string) bool {
	for _, err := range storage.ReadDir(ctx, v.FileSystem, root) {
		return err != nil
	}
	return true
}

// isOrphan reports whether the resource of l is missing but its parent collection
// exists.
func (v recoverer) isOrphan(ctx context.Context, l lock.Lock) bool {
	if _, err := storage.Lstat(ctx, v.FileSystem, l.Root); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	parent, err := v.FileSystem.Stat(ctx, path.Dir(l.Root))
	return err == nil && parent.IsDir()
}
