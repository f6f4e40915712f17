package operation

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

// Registry holds a Server's running operations, and ended ones whose record is not
// written yet. Lock mu before the mutex of the Claims.
type Registry struct {
	server Server

	mu      sync.Mutex
	running map[*operation]struct{}
	// byKey has the running operations that an identical request can join.
	byKey map[Key]*operation
	// byID has the operations with an ID.
	byID     map[string]*operation
	stopping bool
	// halted is closed when Shutdown stops the running operations.
	halted chan struct{}
	// ticking says that the next tick is scheduled.
	ticking bool
	writer  historyWriter
}

// New returns a Registry for the operations of server.
func New(server Server) *Registry {
	return &Registry{
		server: server, running: make(map[*operation]struct{}), byKey: make(map[Key]*operation),
		byID: make(map[string]*operation), halted: make(chan struct{}), writer: historyWriter{told: make(map[*operation]bool)},
	}
}

// Operations returns the running operations, the oldest first.
func (s *Registry) Operations() []Operation {
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
func (s *Registry) look(op *operation) Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshotLocked(op)
}

func (s *Registry) snapshotLocked(op *operation) Operation {
	snapshot := op.Operation
	snapshot.Ended, snapshot.Status = op.endedAt, op.status
	snapshot.Progress = op.monitor.Snapshot()
	return snapshot
}

// Shutdown refuses new operations and waits until the running ones have ended. If ctx
// ends first, Shutdown stops them with the cause [ErrShutdown], waits until each has
// rolled back what it can, and returns ctx's error. Clients of stopped operations get
// 503 (Service Unavailable). When Shutdown returns, all records are in History, which
// may be closed once the Handler serves no more requests.
//
// Shutdown does not wait for other requests; http.Server.Shutdown does.
func (s *Registry) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	running := make([]*operation, 0, len(s.running))
	for op := range s.running {
		running = append(running, op)
	}
	s.mu.Unlock()
	for _, op := range running {
		select {
		case <-op.done:
		case <-ctx.Done():
			s.halt()
			for _, left := range running {
				left.cancel(status.ErrShutdown)
			}
			<-op.done
		}
	}
	<-s.written()
	return ctx.Err()
}

// begin lists op, unless the Handler is stopping. From now on, identical requests can
// join op, including those that wait for its claim.
func (s *Registry) begin(op *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return status.ErrShutdown
	}
	s.running[op] = struct{}{}
	if op.key.joinable() {
		s.byKey[op.key] = op
	}
	s.tickLaterLocked()
	return nil
}

// end records the result of op. It keeps the answer and releases the claim before a
// client can learn of the end. It reports whether no request waits for the answer.
func (s *Registry) end(op *operation, err error) (unanswered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.state, op.status, op.err, op.endedAt = ended, op.success, err, time.Now()
	if !status.Answered(err) {
		op.status = status.Of(err)
	}
	delete(s.running, op)
	if op.key.joinable() {
		delete(s.byKey, op.key)
	}
	if op.task != nil {
		if op.promise != promiseDelivered {
			op.answer = s.newKeptAnswer(op, op.waiting)
		}
		s.server.Claims().releaseAnswered(op.task.Hold(), op.answer)
	}
	if op.id != "" && !op.kept() {
		delete(s.byID, op.id)
	} else if op.id != "" {
		s.writeLocked(op)
	}
	close(op.done)
	return op.waiting == 0
}

// join returns the running operation for key and counts the caller as waiting for it.
// It returns nil if no operation is running for key.
func (s *Registry) join(key *Key) *operation {
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
func (s *Registry) leave(x *Exchange) (alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.away || x.op.state != running {
		return false
	}
	x.away = true
	x.op.waiting--
	return x.op.waiting == 0 && x.op.promise == promisedNothing
}

// settle takes note that x was answered. delivered says whether the client got the
// answer, as far as the server can know.
func (s *Registry) settle(x *Exchange, delivered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case x.away:
	case x.op.state != running:
		s.server.Claims().delivered(x.op.answer, delivered)
	default:
		x.op.waiting--
		if delivered {
			x.op.promise = promiseDelivered
		}
	}
	x.away = true
}

// detach lets op continue even if no client waits for it. It reports false if op has
// ended.
func (s *Registry) detach(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op.state != running {
		return false
	}
	op.promise = max(op.promise, promisedContinuation)
	return true
}

// identify returns the ID of op, 128 random bits.
func (s *Registry) identify(op *operation) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identifyLocked(op)
}

func (s *Registry) identifyLocked(op *operation) string {
	if op.id == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		op.id = base64.RawURLEncoding.EncodeToString(random[:])
		if op.state == running {
			s.byID[op.id] = op
		}
	}
	return op.id
}

// find returns the operation with the ID, or nil.
func (s *Registry) find(id string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// of returns the operations for which wanted reports true, and gives an ID to each
// that has none.
func (s *Registry) of(wanted func(*operation) bool) []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*operation
	for op := range s.running {
		if !op.probes() && wanted(op) {
			s.identifyLocked(op)
		}
	}
	for _, op := range s.byID {
		if wanted(op) && op.state != forgotten {
			list = append(list, op)
		}
	}
	return list
}

// location returns the path of the status document of op.
func (s *Registry) location(op *operation) string {
	return s.statusHref(s.identify(op))
}

// probes reports whether op is a probe, which has no status document.
func (op *operation) probes() bool { return storage.Reserved(op.Source) }

// kept reports whether the record of op, which has an ID, is kept after the end. A
// PROPFIND is kept only if it took long.
func (op *operation) kept() bool {
	return op.key.joinable() || op.endedAt.Sub(op.Started) >= historyInterval
}

// Halting returns a channel that is closed when Shutdown stops the running operations.
func (s *Registry) Halting() <-chan struct{} { return s.halted }

// halt closes the channel of Halting.
func (s *Registry) halt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.halted:
	default:
		close(s.halted)
	}
}
