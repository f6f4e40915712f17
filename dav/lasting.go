package dav

import (
	"reflect"
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
	sharing        sharing
	operations     *operation.Registry
	operationsOnce sync.Once
	propfinds      listing.Queries
	listings       underWay
	deadBytes      limit.Budget
	answers        interim.Held
	encoders       compress.Encoders
	ownWorkers     tree.Workers

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

// Successor returns a Handler that takes the place of h with other options, while the server
// runs. It has the options of h, and change, which may be nil, changes them. It goes on with
// the operations, locks, counts and kept answers of h, which must be the newest Handler. A
// request that h is serving ends as it began, with h's options.
//
// change must leave Prefix, FileSystem, LockSystem, State and Tenant as they are.
func (h *Handler) Successor(change func(*Handler)) *Handler {
	next := new(Handler)
	from, to := reflect.ValueOf(h).Elem(), reflect.ValueOf(next).Elem()
	for i := range from.NumField() {
		if from.Type().Field(i).IsExported() {
			to.Field(i).Set(from.Field(i))
		}
	}
	next.lasting = h.kept()
	if change != nil {
		change(next)
	}
	next.lasting.current.Store(next)
	return next
}
