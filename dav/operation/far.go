package operation

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
)

// An operation that another server works on is an operation here too, with a far, as long as a
// request waits for it or follows it. A goroutine looks at its record once per watchInterval.

// recoveredFinished is the Recovery of an operation that another server has finished.
const recoveredFinished = "finished"

// errAgain is the result of an operation on another server that has done nothing. A request that
// has waited for it must do the work.
var errAgain = errors.New("another server has undone the operation")

// far is what is known about an operation on another server. It is its Monitor.
type far struct {
	mu    sync.Mutex
	known cluster.Status
}

func (f *far) record() history.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.known.Record
	if r.State == history.Running {
		r.Status = 0 // That is the status it will have.
	}
	return r
}

// stopping reports whether any server was told to stop the operation. f may be nil.
func (f *far) stopping() bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known.Stopping
}

// Snapshot implements Monitor, like the methods below.
func (f *far) Snapshot() interim.Progress {
	r := f.record()
	return interim.Progress{Done: r.Done, Known: r.Known, Bytes: r.Bytes, KnownBytes: r.KnownBytes, Current: r.Current}
}

func (*far) Subscribe() interim.Outcomes { return noOutcomes{} }

func (f *far) Failures() (named []history.Failure, total int64) {
	r := f.record()
	return r.Failures, r.FailuresTotal
}

// noOutcomes implements interim.Outcomes. The outcomes of single members stay on their server.
type noOutcomes struct{}

func (noOutcomes) Take() []interim.Outcome { return nil }

func (noOutcomes) Close() {}

// newFar returns an operation of another server. Nothing looks at its record yet.
func (*Registry) newFar(ctx context.Context, known cluster.Status, key Key) *operation {
	r := known.Record
	f := &far{known: known}
	op := &operation{
		Operation: Operation{
			Tenant: tenantOf(ctx), Principal: r.Principal, Method: r.Method, Source: r.Source, Destination: r.Destination, Started: r.Started,
		},
		depth: r.Depth, overwrite: r.Overwrite, success: r.Status, key: key, monitor: f, far: f,
		lifecycle: lifecycle{id: r.ID, recording: recorded, done: make(chan struct{})},
	}
	op.ctx, op.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return op
}

// watch looks at the record of op until leave is called. It does nothing for an operation of this
// server, or nil.
func (s *Registry) watch(op *operation) (leave func()) {
	if op == nil || op.far == nil {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op.followers++
	s.pursueLocked(op)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		op.followers--
	}
}

// pursueLocked makes sure that a goroutine looks at the record of op.
func (s *Registry) pursueLocked(op *operation) {
	if !op.pursued && op.state == running {
		op.pursued = true
		go s.pursue(op)
	}
}

// pursue looks at the record of op until op ends, or until nothing needs it any more.
func (s *Registry) pursue(op *operation) {
	defer op.cancel(nil)
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	stopped := op.ctx.Done()
	for !s.lookFar(op) {
		select {
		case <-ticker.C:
		case <-stopped:
			stopped = nil
			s.stopFar(op)
		case <-s.halted.Done():
			s.endFar(op, 0, status.ErrShutdown)
			return
		}
	}
}

// stopFar tells the other server to stop op.
func (s *Registry) stopFar(op *operation) {
	if !op.stopping() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(op.ctx), historyPatience)
	defer cancel()
	if err := s.server.Peers().Stop(ctx, op.id); err != nil {
		s.server.Log(s.look(op), err)
	}
}

// lookFar looks at the record of op. It reports whether that was the last time.
func (s *Registry) lookFar(op *operation) (last bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(op.ctx), historyPatience)
	defer cancel()
	known, err := s.server.Peers().Load(ctx, op.id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.endFar(op, 0, errAgain)
		return true
	case err == nil && known.Record.State != history.Running:
		op.far.learn(known)
		success, err := resultOf(s.server.Peers(), &known.Record)
		if s.awaited(op) && success/100 == 2 {
			tellPeers(s.server.Peers().Forget, op.id)
		}
		s.endFar(op, success, err)
		return true
	case err == nil:
		op.far.learn(known)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if op.waiting > 0 || op.followers > 0 {
		return false
	}
	s.removeFarLocked(op)
	op.pursued = false
	return true
}

// awaited reports whether requests wait for op.
func (s *Registry) awaited(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.waiting > 0
}

func (f *far) learn(known cluster.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = known
}

// endFar ends op for the requests here.
func (s *Registry) endFar(op *operation, success int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.success = success
	op.end(err, success)
	s.removeFarLocked(op)
	close(op.done)
}

func (s *Registry) removeFarLocked(op *operation) {
	if s.byKey[op.key] == op {
		delete(s.byKey, op.key)
	}
	if s.byID[op.id] == op {
		delete(s.byID, op.id)
	}
}

// repeatFar is repeat for an identical request on another server, and for answers that were not
// delivered on any server.
func (u *undertaking) repeatFar() (err error, done bool) { //nolint:revive // as in repeat
	if u.announced.Key == [32]byte{} {
		return nil, false
	}
	known, err := u.server.Peers().Find(u.r.Context(), u.announced.Key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false
	case err != nil:
		return u.refuse(err), true
	case known.Record.State == history.Running:
		return u.wait(known)
	}
	r := known.Record
	success, result := resultOf(u.server.Peers(), &r)
	// The check must not fail only because the client disconnects now.
	ctx := context.WithoutCancel(u.r.Context())
	// The client that gets the answer may send the same request again at once, and means it then.
	tellPeers(u.server.Peers().Forget, r.ID)
	if success/100 != 2 || success != http.StatusMultiStatus && !u.server.Agrees(ctx, r.Method, r.Source, r.Destination) {
		return nil, false
	}
	op := u.newFar(ctx, known, u.r.Key)
	op.cancel(nil)
	op.waiting = 1
	op.success = success
	op.end(result, success)
	close(op.done)
	u.attend(op)
	return u.x.answer(result), true
}

// runs reports whether op, which the request has joined, had not ended when the request arrived. An
// operation on another server may have ended without being noticed here, and names may have changed
// since: then its result would not be true for this request.
func (u *undertaking) runs(op *operation) bool {
	if op.far == nil {
		return true
	}
	known, err := u.server.Peers().Load(u.r.Context(), op.id)
	return err == nil && known.Record.State == history.Running
}

// part makes the request leave op, which it has joined.
func (s *Registry) part(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.waiting--
}

// joinFar answers with the result of the operation id, which is identical and runs on another
// server or has just ended there. done is false if it has done nothing.
func (u *undertaking) joinFar(id string) (err error, done bool) { //nolint:revive // as in repeat
	known, err := u.server.Peers().Load(u.r.Context(), id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false
	case err != nil:
		return u.refuse(err), true
	}
	return u.wait(known)
}

// wait answers when the operation ends that is known.
func (u *undertaking) wait(known cluster.Status) (err error, done bool) { //nolint:revive // as in repeat
	op := u.newFar(u.r.Context(), known, u.r.Key)
	u.mu.Lock()
	op.waiting = 1
	if other := u.byKey[op.key]; other != nil && (other.far == nil || other.id == op.id) {
		other.waiting++
		u.mu.Unlock()
		return u.await(other)
	}
	u.byKey[op.key], u.byID[op.id] = op, op
	u.pursueLocked(op)
	u.mu.Unlock()
	return u.await(op)
}

// elsewhere returns what is known about the running operations of all servers, by their IDs.
func (s *Registry) elsewhere(ctx context.Context) (map[string]cluster.Status, error) {
	peers := s.server.Peers()
	if peers == nil {
		return nil, nil
	}
	all, err := peers.Running(ctx)
	known := make(map[string]cluster.Status, len(all))
	for _, each := range all {
		known[each.Record.ID] = each
	}
	return known, err
}

// switching is the Monitor of a request that first waits for one operation and then for another.
// Its numbers don't fall.
type switching struct {
	mu   sync.Mutex
	now  Monitor
	seen interim.Progress
}

func (m *switching) follow(now Monitor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = now
}

// Snapshot implements interim.Monitor, like the method below.
func (m *switching) Snapshot() interim.Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.now.Snapshot()
	p.Done, p.Known = max(p.Done, m.seen.Done), max(p.Known, m.seen.Known)
	p.Bytes, p.KnownBytes = max(p.Bytes, m.seen.Bytes), max(p.KnownBytes, m.seen.KnownBytes)
	m.seen = p
	return p
}

func (m *switching) Subscribe() interim.Outcomes {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now.Subscribe()
}
