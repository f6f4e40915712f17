package operation

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
)

// announcedWait is how long after a client was told an operation's address the operation
// gets a record. If it ends before, only its end is recorded, so short operations cost
// one write.
const announcedWait = 100 * time.Millisecond

// Registry holds a Server's running operations, and ended ones whose record is not
// written yet. Lock mu before the mutexes of the recorder and the Claims.
type Registry struct {
	server   Server
	recorder recorder

	mu      sync.Mutex
	running map[*operation]struct{}
	// byKey has the running operations that an identical request can join.
	byKey map[Key]*operation
	// byID has the operations with an ID.
	byID     map[string]*operation
	stopping bool
	// halted ends when Shutdown stops the running operations.
	halted context.Context //nolint:containedctx // lives as long as the Registry
	halt   context.CancelFunc
	// ticking says that the next tick is scheduled.
	ticking bool
	// forgetting has the goroutines that tell other servers about delivered results.
	forgetting sync.WaitGroup
}

// New returns a Registry for the operations of server.
func New(server Server) *Registry {
	s := &Registry{
		server: server, running: make(map[*operation]struct{}), byKey: make(map[Key]*operation),
		byID: make(map[string]*operation),
	}
	s.halted, s.halt = context.WithCancel(context.Background())
	s.recorder.source = recordsOf{s}
	return s
}

// Operations returns the running operations, the oldest first.
func (s *Registry) Operations() []Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Operation, 0, len(s.running))
	for op := range s.running {
		list = append(list, op.snapshot())
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Source, b.Source))
	})
	return list
}

// Documented is Operations for an operator. It gives each operation a status document, and so
// an ID.
func (s *Registry) Documented() []Operation {
	s.mu.Lock()
	for op := range s.running {
		if !op.probes() {
			s.identifyLocked(op)
		}
	}
	s.mu.Unlock()
	return slices.DeleteFunc(s.Operations(), func(op Operation) bool { return op.ID == "" })
}

// look returns a snapshot of op.
func (s *Registry) look(op *operation) Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.snapshot()
}

// Shutdown refuses new operations and waits until the running ones have ended. If ctx
// ends first, Shutdown stops them with the cause dav.ErrShutdown, waits until each has
// rolled back what it can, and returns ctx's error. Clients of stopped operations get
// 503 (Service Unavailable). When Shutdown returns, all records are in the history, which
// may be closed once the server serves no more requests.
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
	s.recorder.wait()
	s.forgetting.Wait()
	return ctx.Err()
}

// StopIf stops the running operations where reason returns an error. That is the answer to
// their clients. Each rolls back what it can. reason gets the context of the work.
func (s *Registry) StopIf(reason func(ctx context.Context, op Operation) error) {
	s.mu.Lock()
	running := make(map[*operation]Operation, len(s.running))
	for op := range s.running {
		running[op] = op.snapshot()
	}
	s.mu.Unlock()
	for op, snapshot := range running {
		if err := reason(op.ctx, snapshot); err != nil {
			op.cancel(&stoppedError{error: err})
		}
	}
}

// Halting returns a channel that is closed when Shutdown stops the running operations.
func (s *Registry) Halting() <-chan struct{} { return s.halted.Done() }

// begin lists op, unless the server is stopping. From now on, identical requests can
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
	if op.id != "" {
		s.byID[op.id] = op
	}
	s.tickLaterLocked()
	return nil
}

// end records the result of op. It keeps the answer and releases the claim before a
// client can learn of the end. It reports whether no request waits for the answer.
func (s *Registry) end(op *operation, err error) (unanswered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.end(err, op.success)
	delete(s.running, op)
	if op.key.joinable() {
		delete(s.byKey, op.key)
	}
	if op.hold != nil {
		if op.promise != promiseDelivered && !op.shared() && s.keeps(op) {
			op.answer = &keptAnswer{
				key: op.key, source: op.Source, destination: op.Destination, scopes: op.hold.Scopes,
				status: op.status, err: op.err, pending: op.waiting,
			}
		}
		s.server.Claims().releaseAnswered(op.hold, op.answer)
	}
	if op.id != "" && (op.shared() || !op.lasts()) {
		delete(s.byID, op.id)
	} else if op.id != "" {
		s.recorder.write(op)
	}
	if op.waiting == 0 {
		s.deliveredFar(op, false)
	}
	close(op.done)
	return op.waiting == 0
}

// keeps reports whether the answer to op is kept if it can't be delivered.
func (s *Registry) keeps(op *operation) bool {
	if !op.key.joinable() || op.key.Stranger != nil || op.status/100 != 2 {
		return false
	}
	return s.server.Keeps(op.err)
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

// location returns the path of the status document of op, which a client is about to
// learn. It is relative to the URL of a request (RFC 9110 §10.2.2), so it works behind a
// proxy even if the server does not know its public scheme and host.
func (s *Registry) location(op *operation) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.identifyLocked(op)
	s.announceLocked(op)
	return hrefOf(s.hrefIn(op.ctx), id)
}

// hrefIn returns the function that returns the URL path of a resource for the client with this
// context.
func (s *Registry) hrefIn(ctx context.Context) func(name string) string {
	return func(name string) string { return s.server.Href(ctx, name) }
}

// identifyLocked returns the ID of op.
func (s *Registry) identifyLocked(op *operation) string {
	if op.id == "" && op.state == running {
		s.byID[op.identify()] = op
	}
	return op.identify()
}

// idOf returns the ID of op, or "" if it has no status document.
func (s *Registry) idOf(op *operation) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.id
}

// announceLocked makes sure that op has a record soon, because a client is being told
// its address, which should work after a crash too. It doesn't wait for the record; only
// a 202 does that. A PROPFIND needs no record, because it ends with its client.
func (s *Registry) announceLocked(op *operation) {
	if op.state != running || op.recording != unrecorded || !op.key.joinable() {
		return
	}
	op.recording = announced
	time.AfterFunc(announcedWait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if op.state == running && op.recording == announced {
			s.recorder.write(op)
		}
	})
}

// tick schedules writing the records of operations that have been running for some time.
func (s *Registry) tick() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for op := range s.running {
		if !op.probes() && now.Sub(op.Started) >= historyInterval {
			op.pace.note(op.Started, now, op.monitor.Snapshot())
			s.identifyLocked(op)
			s.recorder.write(op)
		}
	}
	if s.ticking = false; len(s.running) > 0 {
		s.tickLaterLocked()
	}
}

// tickLaterLocked schedules the next tick.
func (s *Registry) tickLaterLocked() {
	if !s.ticking {
		s.ticking = true
		time.AfterFunc(historyInterval, s.tick)
	}
}

// find returns the operation with the ID, or nil.
func (s *Registry) find(id string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// of returns the operations that are wanted. Each gets an ID if it has none.
func (s *Registry) of(wanted func(*operation) bool) []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	for op := range s.running {
		if !op.probes() && wanted(op) {
			s.identifyLocked(op)
		}
	}
	var list []*operation
	for _, op := range s.byID {
		if wanted(op) {
			list = append(list, op)
		}
	}
	return list
}

// record returns the current record of op, and whether its totals are complete.
func (s *Registry) record(op *operation) (r history.Record, p interim.Progress) {
	s.mu.Lock()
	s.identifyLocked(op)
	life := op.lifecycle
	s.mu.Unlock()
	p = op.monitor.Snapshot()
	if op.far != nil {
		return op.far.record(), p
	}
	return s.recordIn(op, &life, p), p
}

// recordIn returns the record of op in the state life, with the progress p.
func (s *Registry) recordIn(op *operation, life *lifecycle, p interim.Progress) history.Record {
	named, total := op.monitor.Failures()
	if ofErr, all, ok := s.server.Failures(life.err); ok {
		named, total = ofErr, all
	}
	return newRecord(op, life, p, named, total)
}

// view returns the current view of op, for a client that may learn its address.
func (s *Registry) view(op *operation) *view {
	s.location(op)
	r, p := s.record(op)
	v := &view{Record: r, final: p.Final}
	switch {
	case !v.running():
		v.average()
	case op.stopping(), op.far.stopping():
		v.Stopping = true
	default:
		v.members, v.bytes = op.pace.note(op.Started, time.Now(), p)
	}
	return v
}

// shownTo returns v with the names that the client of ctx knows.
func (s *Registry) shownTo(ctx context.Context, v *view) *view {
	shown := *v
	shown.rollsBack = s.server.RollsBack(v.Destination)
	shown.Source = s.server.Shown(ctx, v.Source)
	if v.Destination != "" {
		shown.Destination = s.server.Shown(ctx, v.Destination)
	}
	if v.Current != "" {
		shown.Current = s.server.Shown(ctx, v.Current)
	}
	shown.Failures = slices.Clone(v.Failures)
	for i := range shown.Failures {
		shown.Failures[i].Name = s.server.Shown(ctx, shown.Failures[i].Name)
	}
	return &shown
}

// forget removes the record id.
func (s *Registry) forget(ctx context.Context, id string) error {
	s.mu.Lock()
	if op := s.byID[id]; op != nil {
		op.state = forgotten
		delete(s.byID, id)
	}
	s.mu.Unlock()
	return s.recorder.remove(ctx, id)
}

// recordsOf is a Registry as its recorder sees it.
type recordsOf struct{ *Registry }

func (s recordsOf) store() history.Store {
	if peers := s.server.Peers(); peers != nil {
		return reports{s.server.Records(), s.Registry, peers}
	}
	return s.server.Records()
}

func (s recordsOf) recordOf(op *operation) (history.Record, bool) {
	s.mu.Lock()
	gone := op.state == forgotten || op.shared() && op.state != running || op.far != nil
	s.mu.Unlock()
	if gone {
		return history.Record{}, false
	}
	r, _ := s.record(op)
	return s.server.Record(op.Tenant, r), true
}

func (s recordsOf) wrote(op *operation, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op.recording = recorded; over {
		delete(s.byID, op.id)
	}
}

func (s recordsOf) failed(op *operation, err error) { s.server.Log(s.look(op), err) }
