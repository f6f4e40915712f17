package dav

import (
	"sync"
	"sync/atomic"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/compress"
	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// lasting is what a Handler and its successors have in common: what is under way, what is
// counted and what is kept.
type lasting struct {
	// current is the newest of these Handlers.
	current atomic.Pointer[Handler]

	requests       atomic.Int32 // up to two, for process.briefs
	recovered      atomic.Bool  // Recover has succeeded once
	stripped       atomic.Bool  // a proxy has stripped a prefix from a path
	sharing        sharing
	operations     *operation.Registry
	operationsOnce sync.Once
	propfinds      listing.Queries
	listings       underWay
	deadBytes      limit.Budget
	answers        interim.Held
	encoders       compress.Encoders
	ownWorkers     tree.Workers
	settlers       settlers
	uploads        uploadTable

	lockTable     *locktable.Table
	lockTableOnce sync.Once
	defaultProps  defaultProps
	memHistory    history.Mem
}

// kept returns what h has in common with its predecessors and successors.
func (h *Handler) kept() *lasting {
	h.lastingOnce.Do(func() {
		if h.lasting == nil {
			h.lasting = new(lasting)
			h.lasting.current.Store(h)
		}
	})
	return h.lasting
}

// Succeed makes h take the place of previous, which is the newest Handler, while the server
// runs. h goes on with the operations, locks, counts and kept answers of previous, and with its
// own options. A request that previous is serving ends as it began. Call Succeed before the
// first request of h, with the same Prefix, FileSystem, LockSystem, State and Tenant.
func (h *Handler) Succeed(previous *Handler) {
	h.lastingOnce.Do(func() { h.lasting = previous.kept() })
	h.lasting.current.Store(h)
}
