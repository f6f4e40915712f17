package dav

import (
	"context"
	"errors"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/tree"
)

// Several nodes may keep the names of files in the database of the State. Then a request makes its
// change, checks included, in the transaction of its claim, which is in the context of the request
// (cluster.Claim). Whatever is called under the claim must get that context: the transaction may have
// the only connection. The answer is sent after the commit.

// transacts reports whether the names of places are in the database of the State, and other nodes
// use it too.
func (h *Handler) transacts(ctx context.Context, places ...place.Place) bool {
	if h.node() == nil {
		return false
	}
	for _, p := range places {
		if !storage.Transacts(ctx, h.FileSystem, p.Name, h.State) {
			return false
		}
	}
	return true
}

// brief reports whether the whole change is made in the transaction of the claim.
func (c *claim) brief() bool { return c.shared != nil && c.shared.brief }

// direct reports whether one call of the storage may change a name. Otherwise other nodes must be
// able to finish or undo the change.
func (c *claim) direct() bool { return c.shared == nil || c.shared.brief }

// transacted reports whether the change is made in the transaction of the claim, at least in the
// end.
func (c *claim) transacted() bool { return c.shared != nil && c.shared.transacted }

// within returns ctx with the transaction of a brief claim.
func (s *sharedClaim) within(ctx context.Context) (context.Context, error) {
	if s == nil || !s.brief {
		return ctx, nil
	}
	return s.begin(ctx)
}

func (s *sharedClaim) begin(ctx context.Context) (context.Context, error) {
	s.transacted = true
	return s.claim.Transaction(ctx)
}

// transaction returns the transaction for package tree.
func (s *sharedClaim) transaction() *tree.Transaction {
	return &tree.Transaction{Begin: s.begin, Undo: s.claim.Undo}
}

// undo undoes a brief change. s may be nil.
func (s *sharedClaim) undo() {
	if s != nil && s.brief {
		s.claim.Undo(s.ctx)
	}
}

// endUndone ends the claim after the database has undone the transaction, because of err, instead of
// committing it. It returns the error for the answer. A COPY has made a stage before, which must be
// removed.
func (s *sharedClaim) endUndone(ctx context.Context, err error, result *cluster.Result) error {
	s.fail(err, result)
	if s.saved.Load() != nil {
		s.settleLater(true, result)
	} else if again := s.claim.End(ctx, result); again != nil && !errors.Is(again, cluster.ErrFenced) {
		s.settleLater(false, result)
	}
	return err
}

// fail writes into result that the operation has failed with err.
func (s *sharedClaim) fail(err error, result *cluster.Result) {
	s.undone = true
	if result != nil {
		result.Record.Status, result.Record.Reason, result.Keep = status.Of(err), status.Reason(err), false
	}
}
