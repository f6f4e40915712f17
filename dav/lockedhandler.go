package dav

import "github.com/davd/davd/dav/internal/locktable"

// locks returns the table of LockSystem or, if that is nil, of one in memory.
func (h *Handler) locks() *locktable.Table {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lockTable == nil {
		h.lockTable = locktable.New(h.LockSystem, h.Tenant != nil, &h.shared().probing, h.names(), h.hrefOf)
	}
	return h.lockTable
}
