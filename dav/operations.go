package dav

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/storage"
)

// operations are those of a Handler that are under way, and those of which the
// record is still to be written. Its mu comes before that of the claims.
type operations struct {
	mu      sync.Mutex
	running map[*operation]struct{}
	// byKey are those that an identical request joins.
	byKey map[operationKey]*operation
	// byID are those that somebody knows by their ID.
	byID     map[string]*operation
	stopping bool
	// halted is closed when Shutdown stops what is under way; nil: no operation waits for that.
	halted chan struct{}
	// ticking: the next tick is coming.
	ticking bool
	writer  historyWriter
}

// Operations returns the operations that are under way, the oldest first.
func (h *Handler) Operations() []Operation {
	s := &h.operations
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Operation, 0, len(s.running))
	for op := range s.running {
		list = append(list, s.snapshotLocked(op))
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Source, b.Source))
	})
	return list
}

// look returns op as it is now.
func (s *operations) look(op *operation) Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshotLocked(op)
}

func (s *operations) snapshotLocked(op *operation) Operation {
	snapshot := op.Operation
	snapshot.Ended, snapshot.Status = op.endedAt, op.status
	snapshot.Progress = op.monitor.Snapshot()
	return snapshot
}

// Shutdown refuses new operations and waits until none is under way. When ctx
// ends first, it stops those that are left with the cause [ErrShutdown], waits
// until each has rolled back what it can, and returns ctx's error. Their
// answer is 503 (Service Unavailable). When it returns, what History is to keep
// has been written, and it may be closed once nothing else is served.
//
// It does not touch other requests: http.Server.Shutdown waits for those.
func (h *Handler) Shutdown(ctx context.Context) error {
	s := &h.operations
	s.mu.Lock()
	s.stopping = true
	running := make([]*operation, 0, len(s.running))
	for op := range s.running {
		running = append(running, op)
	}
	s.mu.Unlock()
	for _, op := range running {
		ended := s.ended(op)
		select {
		case <-ended:
		case <-ctx.Done():
			s.halt()
			for _, left := range running {
				left.context.cancel(ErrShutdown)
			}
			<-ended
		}
	}
	<-s.written()
	return ctx.Err()
}

// begin lists op, unless the Handler is stopping. Who waits for the claim of an
// identical request can join it from now on.
func (s *operations) begin(h *Handler, op *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return ErrShutdown
	}
	if s.running == nil {
		s.running = make(map[*operation]struct{})
		s.byKey = make(map[operationKey]*operation)
		s.byID = make(map[string]*operation)
	}
	s.running[op] = struct{}{}
	if op.key.method != "" {
		s.byKey[op.key] = op
	}
	s.tickLaterLocked(h)
	return nil
}

// end notes how op has ended. Its answer is kept, and its claim released, before
// anybody can learn of the end. It reports whether nobody waits for the answer.
func (s *operations) end(h *Handler, op *operation, status int, err error) (unanswered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.over, op.status, op.err, op.endedAt = true, status, err, time.Now()
	delete(s.running, op)
	if op.key.method != "" {
		delete(s.byKey, op.key)
	}
	if op.claim != nil {
		if !op.answered {
			op.answer = newKeptAnswer(op, status, err, op.waiting)
		}
		h.shared().claims.releaseAnswered(op.claim.hold, op.answer)
	}
	if op.id != "" && !op.kept() {
		delete(s.byID, op.id)
	} else if op.id != "" {
		s.writeLocked(h, op)
	}
	if op.ended != nil {
		close(op.ended)
	}
	return op.waiting == 0
}

// ended returns what is closed when op has ended.
func (s *operations) ended(op *operation) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op.ended == nil {
		op.ended = make(chan struct{})
		if op.over {
			close(op.ended)
		}
	}
	return op.ended
}

// join returns the operation under way for key, nil if there is none. It counts
// who is going to wait for it.
func (s *operations) join(key *operationKey) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.byKey[*key]
	if op != nil {
		op.waiting++
	}
	return op
}

// leave ends the waiting of x before the end of its operation. alone reports that
// there is nobody left to whom the operation matters.
func (s *operations) leave(x *exchange) (alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.away || x.op.over {
		return false
	}
	x.away = true
	x.op.waiting--
	return x.op.waiting == 0 && !x.op.detached
}

// settle ends the waiting of x, which was answered. delivered: the client has got
// the answer, as far as one can know.
func (s *operations) settle(x *exchange, delivered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case x.away:
	case x.op.over:
		x.shared().claims.delivered(x.op.answer, delivered)
	default:
		x.op.waiting--
		x.op.answered = x.op.answered || delivered
	}
	x.away = true
}

// detach lets op go on whether clients wait for it or not. It reports false if op
// has ended.
func (s *operations) detach(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.detached = !op.over
	return op.detached
}

// identify returns the ID of op: 128 random bits.
func (s *operations) identify(op *operation) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identifyLocked(op)
}

func (s *operations) identifyLocked(op *operation) string {
	if op.id == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		op.id = base64.RawURLEncoding.EncodeToString(random[:])
		if !op.over {
			s.byID[op.id] = op
		}
	}
	return op.id
}

// find returns the operation with the ID, nil if there is none.
func (s *operations) find(id string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// of returns the operations under way that are wanted, which have IDs from now on.
func (s *operations) of(wanted func(*operation) bool) []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*operation
	for op := range s.running {
		if !op.probes() && wanted(op) {
			s.identifyLocked(op)
		}
	}
	for _, op := range s.byID {
		if wanted(op) && !op.forgotten {
			list = append(list, op)
		}
	}
	return list
}

// location is the path of the status document of op.
func (h *Handler) location(op *operation) string {
	return h.statusHref(h.operations.identify(op))
}

// probes reports whether op is a probe, which has no status document.
func (op *operation) probes() bool { return storage.Reserved(op.Source) }

// kept reports whether there is to be a record of op, which has an ID, when it
// has ended. A PROPFIND's is its answer, unless that took long.
func (op *operation) kept() bool {
	return op.key.method != "" || op.endedAt.Sub(op.Started) >= historyInterval
}
