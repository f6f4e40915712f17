package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// node returns this process as one of several that share the State, or nil if no other one does.
func (h *Handler) node() cluster.Node { return cluster.Of(h.State) }

// endPatience is how long the end of a claim waits for the database, or for the node that has
// taken over.
const endPatience = 30 * time.Second

// sharedClaim is a claim that no other node can have at the same time.
type sharedClaim struct {
	h     *Handler
	claim cluster.Claim
	// brief says that the change is made in the transaction of the claim. Then it needs no record,
	// and no protection from nodes that take over.
	brief bool
	// transacted says that the transaction was begun. undone says that it was not committed, and
	// that the result of the operation says so.
	transacted, undone bool
	// ctx has the tenant of the request. It does not end.
	ctx context.Context //nolint:containedctx // lives as long as the claim
	// saved is the record of the change, for whoever must settle it.
	saved atomic.Pointer[[]byte]
	ended bool
}

// claimShared makes a claim against other nodes. It returns nil without any.
func (r *request) claimShared(scopes []operation.Scope, i intent) (*sharedClaim, error) {
	node := r.h.node()
	if node == nil {
		return nil, nil //nolint:nilnil // there is nothing to claim
	}
	work := cluster.Work{Scopes: make([]cluster.Scope, len(scopes)), Operation: i.announced, Brief: i.brief, Late: i.late}
	for n, s := range scopes {
		work.Scopes[n] = cluster.Scope{Name: tenant.Name(r.Context(), s.Name), Tree: s.Tree, Members: s.Members}
	}
	made, err := node.Claim(r.Context(), work)
	if err != nil {
		return nil, err
	}
	s := &sharedClaim{h: r.h, claim: made, ctx: context.WithoutCancel(r.Context()), brief: i.brief}
	if !i.brief {
		return s, nil
	}
	ctx, err := s.begin(r.Context())
	if err != nil {
		return nil, s.end(err, nil)
	}
	r.Request = r.WithContext(ctx)
	return s, nil
}

// fence returns what package tree needs to protect a change from other nodes. s may be nil.
func (s *sharedClaim) fence() *tree.Fence {
	if s == nil {
		return nil
	}
	return s.h.fence(s.claim.ID())
}

func (h *Handler) fence(id string) *tree.Fence {
	epoch := h.node().Epoch()
	return &tree.Fence{ID: id, Beside: func(name string) string {
		return path.Join(path.Dir(name), cluster.StageName(epoch))
	}}
}

// journal returns the journal for the record of s.
func (s *sharedClaim) journal(j tree.Journal) tree.Journal {
	if s == nil {
		return j
	}
	return remembering{j, s}
}

// remembering is a journal that remembers the record of a claim.
type remembering struct {
	tree.Journal

	of *sharedClaim
}

// SaveRecord implements tree.Journal.
func (j remembering) SaveRecord(ctx context.Context, id string, record []byte) error {
	j.of.saved.Store(&record)
	return j.Journal.SaveRecord(ctx, id, record)
}

// lost reports whether another node has taken over the claim. s may be nil.
func (s *sharedClaim) lost() bool { return s != nil && s.claim.Context().Err() != nil }

// errUnknownEnd is for a change whose end other nodes don't know.
var errUnknownEnd = fmt.Errorf("%w: it is not known whether the change was made", storage.ErrUnavailable)

// end ends the claim, after the change has ended with err. It returns the error for the answer,
// which another node may have decided. s may be nil.
func (s *sharedClaim) end(err error, result *cluster.Result) error {
	if s == nil || s.ended {
		return err
	}
	s.ended = true
	_, unsettled := errors.AsType[*tree.UnsettledError](err)
	_, staged := errors.AsType[*tree.StagedError](err)
	if (unsettled || staged) && !s.lost() && !errors.Is(err, cluster.ErrFenced) {
		return s.endUnsettled(err, unsettled, result)
	}
	ctx, cancel := context.WithTimeout(s.ctx, endPatience)
	defer cancel()
	if err != nil && !status.Answered(err) {
		s.undo()
	}
	ended := s.claim.End(ctx, result)
	taken, ok := errors.AsType[*cluster.TakenOverError](ended)
	switch {
	case ended == nil:
		return err
	case errors.Is(ended, cluster.ErrUndone):
		return s.endUndone(ctx, ended, result)
	case ok && taken.Outcome == cluster.Finished:
		if status.Answered(err) {
			return err
		}
		return nil
	case !errors.Is(ended, cluster.ErrFenced):
		s.settleLater(false, result)
	}
	return ended
}

// endUnsettled is end for a change that must be finished or undone first. If it is not unsettled, it is
// known that nothing has changed, and the result of the operation says so.
func (s *sharedClaim) endUnsettled(err error, unsettled bool, result *cluster.Result) error {
	if unsettled {
		err = errors.Join(errUnknownEnd, err)
	} else {
		s.undone = true
	}
	s.settleLater(true, result)
	return err
}

// abandon is end for a change that has not come to its end, because of a panic.
func (s *sharedClaim) abandon() {
	if s != nil && !s.ended {
		s.ended = true
		if s.transacted {
			s.claim.Undo(s.ctx)
		}
		s.settleLater(true, nil)
	}
}

// settlers are goroutines that end claims whose end has failed.
type settlers struct {
	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
	stop    chan struct{}
}

// start calls settle until it returns true or the settlers stop. The pauses grow from
// firstPersistPause to lastPersistPause.
func (s *settlers) start(settle func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	if s.stop == nil {
		s.stop = make(chan struct{})
	}
	s.running.Go(func() {
		for attempt := 0; !settle(); attempt++ {
			timer := time.NewTimer(min(firstPersistPause<<min(attempt, 16), lastPersistPause))
			select {
			case <-timer.C:
			case <-s.stop:
				timer.Stop()
				return
			}
		}
	})
}

// halt stops the settlers. Another node will take over the claims that have not ended.
func (s *settlers) halt() {
	s.mu.Lock()
	s.stopped = true
	if s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
	s.mu.Unlock()
	s.running.Wait()
}

// settleLater ends the claim in the background. unsettled says that the change must be finished or
// undone before, as by a node that takes over.
func (s *sharedClaim) settleLater(unsettled bool, result *cluster.Result) {
	s.h.kept().settlers.start(func() bool {
		if saved := s.saved.Load(); unsettled && saved != nil && !s.lost() {
			recovery, err := s.h.current().recoverShared(s.ctx, s.claim.ID(), *saved)
			if err != nil && !errors.Is(err, cluster.ErrFenced) {
				return false
			}
			if err == nil && result != nil && !s.undone {
				recoverer{s.h.current()}.tell(s.ctx, result, &recovery)
			}
		}
		unsettled = false
		ctx, cancel := context.WithTimeout(s.ctx, endPatience)
		defer cancel()
		err := s.claim.End(ctx, result)
		if errors.Is(err, cluster.ErrUndone) {
			s.fail(err, result)
			unsettled = true
		}
		return err == nil || errors.Is(err, cluster.ErrFenced)
	})
}

// current returns the Handler with the newest options.
func (h *Handler) current() *Handler { return h.kept().current.Load() }

// recoverShared finishes or undoes the change of a record whose claim this node holds.
func (h *Handler) recoverShared(ctx context.Context, id string, record []byte) (tree.Recovery, error) {
	engine := h.engine(&claim{locks: h.locks()})
	engine.Persist, engine.Fence = nil, h.fence(id)
	return engine.RecoverAdopted(storage.Unrestricted(ctx), record)
}

// TakeOver finishes or undoes the changes of nodes that were declared dead, with the options of the
// newest successor of h. It is the function for cluster.Node.Run. It leaves those whose storage or database can't be reached, and returns
// the others. Requests may be served meanwhile.
func (h *Handler) TakeOver(ctx context.Context, works []cluster.Adopted) []tree.Recovery {
	h = h.current()
	var recovered []tree.Recovery
	for _, w := range works {
		recovery := tree.Recovery{Result: tree.Undone}
		if w.Record != nil {
			var err error
			if recovery, err = h.recoverShared(ctx, w.ID, w.Record); err != nil {
				h.logTakeOver(recovery.Entry, err)
				continue
			}
		}
		outcome := cluster.Undone
		if recovery.Result == tree.Finished {
			outcome = cluster.Finished
		}
		result, err := recoverer{h}.resultOf(ctx, w.Operation, &recovery)
		if err == nil {
			err = w.Settle(ctx, outcome, result)
		}
		if err != nil {
			h.logTakeOver(recovery.Entry, err)
		} else if w.Record != nil {
			recovered = append(recovered, recovery)
		}
	}
	return recovered
}

func (h *Handler) logTakeOver(e tree.Entry, err error) {
	if h.OperationLogger != nil {
		h.OperationLogger(operation.Operation{Method: e.Method, Source: e.Source, Destination: e.Destination},
			fmt.Errorf("the change of another server can't be finished or undone now, and will be tried again: %w", err))
	}
}

// resultOf returns the result of the operation id, which another node has begun, after its
// recovery. It is nil without an operation.
func (v recoverer) resultOf(ctx context.Context, id string, recovery *tree.Recovery) (*cluster.Result, error) {
	if id == "" {
		return nil, nil //nolint:nilnil // a PUT, for example
	}
	r, err := v.allRecords().LoadOperation(ctx, id)
	if err != nil {
		return nil, err
	}
	result := &cluster.Result{Record: r}
	v.tell(ctx, result, recovery)
	return result, nil
}

// tell writes the recovery into a result.
func (v recoverer) tell(ctx context.Context, result *cluster.Result, recovery *tree.Recovery) {
	r := &result.Record
	if r.Ended.IsZero() {
		r.Ended = time.Now().UTC().Truncate(time.Microsecond)
	}
	v.interrupt(ofRecord(ctx, *r), r, recovery)
	r.Reason = takenOver(recovery.Result)
	if recovery.Result == tree.Finished {
		result.Keep = r.Status/100 == 2
	} else {
		r.Status, result.Keep = 0, false
	}
}

// takenOver returns the reason in the record of an operation that another node has ended.
func takenOver(result tree.Result) string {
	switch result {
	case tree.Finished:
		return interruptedBy + "; another server has finished it"
	case tree.Undone:
		return interruptedBy + "; another server has rolled it back"
	}
	return interruptedBy + "; another server could neither finish nor undo it"
}

// recoverNode is Recover on a node. Other nodes have taken over the operations of a process that
// was killed, or will. It only ends the records of listings, for which there is nothing to recover.
func (v recoverer) recoverNode(ctx context.Context) error {
	all, err := v.node().Operations().Running(ctx)
	if err != nil {
		return err
	}
	var changed []history.Record
	for _, each := range all {
		if r := each.Record; !each.Alive && r.Method == "PROPFIND" {
			r.Ended = time.Now().UTC().Truncate(time.Microsecond)
			v.interrupt(ctx, &r, nil)
			changed = append(changed, r)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return v.allRecords().SaveOperations(ctx, changed...)
}

// Placing waits.
const (
	// placingPatience is how long a request waits for a change that may hide its resource.
	placingPatience = time.Second
	placingPause    = 50 * time.Millisecond
)

// errHidden is for a resource that another node may just be moving.
var errHidden = &status.Error{Status: http.StatusServiceUnavailable, Reason: "another server is moving this resource, or a collection that contains it: try again"}

// revealed calls look again if it fails with a 404 because a change of any node hides the resource
// for a moment. Between the two renames of such a change, the resource has neither name.
func (r *request) revealed(look func() error) error {
	err := look()
	node := r.h.node()
	if node == nil || status.Answered(err) || status.Of(err) != http.StatusNotFound {
		return err
	}
	if storage.Transacts(r.Context(), r.h.FileSystem, r.name, r.h.State) {
		return err // No change hides a name there.
	}
	until := time.Now().Add(placingPatience)
	for {
		placing, asked := node.Placing(r.Context(), tenant.Name(r.Context(), r.name))
		switch {
		case asked != nil:
			return asked
		case !placing:
			return look()
		case time.Now().After(until):
			return errHidden
		}
		timer := time.NewTimer(placingPause)
		select {
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			return context.Cause(r.Context())
		}
	}
}
