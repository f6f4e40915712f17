package dav

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// operations holds a Handler's running operations, and ended ones whose record is
// not written yet. Lock mu before the mutex of the claims.
type operations struct {
	mu      sync.Mutex
	running map[*operation]struct{}
	// byKey has the running operations that an identical request can join.
	byKey map[operationKey]*operation
	// byID has the operations with an ID.
	byID     map[string]*operation
	stopping bool
	// halted is closed when Shutdown stops the running operations. It is nil until
	// an operation waits for that.
	halted chan struct{}
	// ticking says that the next tick is scheduled.
	ticking bool
	writer  historyWriter
}

// Operations returns the running operations, the oldest first.
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

// look returns a snapshot of op.
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

// ErrShutdown is the cause with which [Handler.Shutdown] stops an operation.
var ErrShutdown = status.ErrShutdown

// Shutdown refuses new operations and waits until the running ones have ended. If ctx
// ends first, Shutdown stops them with the cause [ErrShutdown], waits until each has
// rolled back what it can, and returns ctx's error. Clients of stopped operations get
// 503 (Service Unavailable). When Shutdown returns, all records are in History, which
// may be closed once the Handler serves no more requests.
//
// Shutdown does not wait for other requests; http.Server.Shutdown does.
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

// begin lists op, unless the Handler is stopping. From now on, identical requests can
// join op, including those that wait for its claim.
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

// end records the result of op. It keeps the answer and releases the claim before a
// client can learn of the end. It reports whether no request waits for the answer.
func (s *operations) end(h *Handler, op *operation, err error) (unanswered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.over, op.status, op.err, op.endedAt = true, op.success, err, time.Now()
	if !status.Answered(err) {
		op.status = status.Of(err)
	}
	delete(s.running, op)
	if op.key.method != "" {
		delete(s.byKey, op.key)
	}
	if op.claim != nil {
		if !op.answered {
			op.answer = newKeptAnswer(op, op.waiting)
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

// ended returns a channel that is closed when op has ended.
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

// join returns the running operation for key and counts the caller as waiting for it.
// It returns nil if no operation is running for key.
func (s *operations) join(key *operationKey) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.byKey[*key]
	if op != nil {
		op.waiting++
	}
	return op
}

// leave takes note that x no longer waits for its operation. alone reports whether
// no request waits for the operation any more and it is not detached.
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

// settle takes note that x was answered. delivered says whether the client got the
// answer, as far as the server can know.
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

// detach lets op continue even if no client waits for it. It reports false if op has
// ended.
func (s *operations) detach(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.detached = !op.over
	return op.detached
}

// identify returns the ID of op, 128 random bits.
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

// find returns the operation with the ID, or nil.
func (s *operations) find(id string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// of returns the operations for which wanted reports true, and gives an ID to each
// that has none.
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

// location returns the path of the status document of op.
func (h *Handler) location(op *operation) string {
	return h.statusHref(h.operations.identify(op))
}

// probes reports whether op is a probe, which has no status document.
func (op *operation) probes() bool { return storage.Reserved(op.Source) }

// kept reports whether the record of op, which has an ID, is kept after the end. A
// PROPFIND is kept only if it took long.
func (op *operation) kept() bool {
	return op.key.method != "" || op.endedAt.Sub(op.Started) >= historyInterval
}
