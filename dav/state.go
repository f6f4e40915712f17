package dav

import (
	"context"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
)

// State is what a Handler keeps in addition to the files: locks, dead properties, the
// records of running operations and the results of ended ones. It keeps all of them across
// restarts, as a sqlstate.DB does, or all of them in memory, as a memstate.State does. Each
// method always returns the same value.
type State interface {
	// Locks returns the locks.
	Locks() lock.Manager
	// Properties returns the dead properties. They belong to a name within a Tenant, and
	// are the same for every Principal.
	Properties() deadprops.Store
	// Journal returns the records of the changes that are under way, so that after a crash
	// Recover can finish them or undo them. It returns nil for a State in memory: then an
	// interrupted change stays half done.
	Journal() journal.Store
	// Names returns the names that the journal uses for files, or nil if it uses those of
	// FileSystem. A mount.State has names that don't depend on the places of shares.
	Names() journal.Names
	// History returns the results of operations, which are kept for a day, for their status
	// documents (operation.Name).
	History() history.Store
}

// journal returns the Journal of the State, or nil.
func (h *Handler) journal() tree.Journal {
	if h.State == nil {
		return nil
	}
	return h.State.Journal()
}

// journalNames returns the Names of the State, or nil.
func (h *Handler) journalNames() journal.Names {
	if h.State == nil {
		return nil
	}
	return h.State.Names()
}

// locks returns the table of LockSystem, of the locks of State, or of locks in memory.
func (h *Handler) locks() *locktable.Table {
	kept := h.kept()
	kept.lockTableOnce.Do(func() {
		kept.lockTable = locktable.New(h.lockSystem(), h.Tenant != nil, &h.shared().probing, h.names(), func(ctx context.Context, name string) string {
			return kept.current.Load().lockRoot(ctx, name)
		})
	})
	return kept.lockTable
}

// lockSystem returns LockSystem or the locks of State, or nil without either.
func (h *Handler) lockSystem() webdav.LockSystem {
	if h.LockSystem == nil && h.State != nil {
		return h.State.Locks()
	}
	return h.LockSystem
}

// allRecords returns the records of all tenants, which are in memory without a State. Their
// principals have the names that the state uses.
func (h *Handler) allRecords() history.Store {
	if h.State != nil {
		return h.State.History()
	}
	return &h.kept().memHistory
}
