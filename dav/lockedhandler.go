package dav

import (
	"github.com/davd/davd/dav/internal/locktable"
	"golang.org/x/net/webdav"
)

// locks returns the table of LockSystem, of the locks of State, or of locks in memory.
func (h *Handler) locks() *locktable.Table {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lockTable == nil {
		h.lockTable = locktable.New(h.lockSystem(), h.Tenant != nil, &h.shared().probing, h.names(), h.hrefOf)
	}
	return h.lockTable
}

// lockSystem returns LockSystem or the locks of State, or nil without either.
func (h *Handler) lockSystem() webdav.LockSystem {
	if h.LockSystem == nil && h.State != nil {
		return h.State.Locks()
	}
	return h.LockSystem
}
