package dav

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

const (
	// historyInterval is the age from which on an operation has a record, and the
	// time between two states of it.
	historyInterval = 5 * time.Second
	// historyKept is how long a record is kept after the end.
	historyKept = 24 * time.Hour
	// How many of them are kept of one principal, and in all.
	historyPerPrincipal = 1000
	historyTotal        = 5000
	// How many failed members a record names, and how long their names may be in
	// sum, in bytes.
	maxRecordFailures = 1000
	maxRecordNames    = 64 << 10
	// historyPatience is how long a write to the History may take.
	historyPatience = 30 * time.Second
	// maxUnwritten is how many records that can't be written are kept in memory.
	maxUnwritten = 1000
	// historyTrim is how many records are written, and how much time passes,
	// before old ones are looked for.
	historyTrim         = 100
	historyTrimInterval = time.Minute
)

// records returns History or, where there is none, one in memory.
func (h *Handler) records() history.Store {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.History != nil {
		return h.History
	}
	if h.memHistory == nil {
		h.memHistory = history.NewMem()
	}
	return h.memHistory
}

// record returns the record of op as it is now.
func (s *operations) record(op *operation) history.Record {
	s.mu.Lock()
	id, over, status, err, ended := s.identifyLocked(op), op.over, op.status, op.err, op.endedAt
	s.mu.Unlock()
	p := op.monitor.Snapshot()
	r := history.Record{
		ID: id, Principal: op.Principal, Method: op.Method, Source: op.Source, Destination: op.Destination,
		Depth: op.depth, Overwrite: op.overwrite, State: history.Running, Started: kept(op.Started), Updated: kept(time.Now()),
		Done: p.Done, Known: p.Known, Bytes: p.Bytes, KnownBytes: p.KnownBytes, Current: p.Current,
	}
	if over {
		r.Updated, r.Ended = kept(ended), kept(ended)
		r.Status, r.Reason = status, reasonOf(err)
		r.State = endState(err)
	}
	if over && status == 0 {
		r.Status = 207 // a PROPFIND's, which has answered itself
	}
	r.Failures, r.FailuresTotal = failuresOf(op, err)
	return r
}

// kept is t as a record has it.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// endState is the state of an operation that has ended with err.
func endState(err error) history.State {
	for _, stopped := range []error{errStopped, ErrShutdown, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, stopped) {
			return history.Stopped
		}
	}
	return history.Finished
}

// failuresOf returns the members of op that failed, as many as a record names, and
// how many there are. err is how it ended, if it has.
func failuresOf(op *operation, err error) (failures []history.Failure, total int64) {
	outcomes, total := op.monitor.Failures()
	var partial *tree.PartialError
	if errors.As(err, &partial) {
		outcomes, total = partial.Failures, int64(len(partial.Failures))+partial.Unnamed
	}
	room := maxRecordNames
	for _, outcome := range outcomes[:min(len(outcomes), maxRecordFailures)] {
		if room -= len(outcome.Name); room < 0 {
			break
		}
		failures = append(failures, history.Failure{Name: outcome.Name, Status: statusOf(outcome.Err)})
	}
	return failures, total
}

// historyWriter writes records, many at a time, in a goroutine that ends when there
// is nothing to write. mu of the operations guards it.
type historyWriter struct {
	queue  []*operation
	failed []*operation // to be tried again
	// busy: the goroutine runs. idle is closed when it ends, if somebody waits.
	busy bool
	idle chan struct{}

	// saving is held while the History is changed.
	saving sync.Mutex
	// These are the goroutine's.
	trimmed time.Time
	saved   int // since then
}

// writeLocked has the record of op written, if it is not going to be.
func (s *operations) writeLocked(h *Handler, op *operation) {
	w := &s.writer
	if !op.queued {
		op.queued = true
		w.queue = append(w.queue, op)
	}
	if !w.busy {
		w.busy = true
		go h.writeHistory()
	}
}

// written returns what is closed when nothing is left to be written.
func (s *operations) written() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.writer
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	idle := w.idle
	if !w.busy {
		close(idle)
		w.idle = nil
	}
	return idle
}

// nextBatch returns the operations whose records are to be written; nil: none is,
// and the goroutine is to end.
func (s *operations) nextBatch() []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.writer
	batch := w.queue
	w.queue = nil
	for _, op := range batch {
		op.queued = false
	}
	if len(batch) == 0 {
		w.busy = false
		if w.idle != nil {
			close(w.idle)
			w.idle = nil
		}
	}
	return batch
}

// writeHistory writes what is to be written.
func (h *Handler) writeHistory() {
	s, store := &h.operations, h.records()
	for {
		batch := s.nextBatch()
		if len(batch) == 0 {
			return
		}
		err := s.save(store, batch)
		if err == nil {
			err = s.trim(store, len(batch))
		}
		if err == nil {
			continue
		}
		if h.OperationLogger != nil {
			h.OperationLogger(s.snapshot(batch[0]), err)
		}
		s.mu.Lock()
		s.tickLaterLocked(h)
		s.mu.Unlock()
	}
}

// save writes the records of batch. What has ended is the History's from then on.
func (s *operations) save(store history.Store, batch []*operation) error {
	s.writer.saving.Lock()
	defer s.writer.saving.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	records := make([]history.Record, 0, len(batch))
	for _, op := range batch {
		if !s.isForgotten(op) {
			records = append(records, s.record(op))
		}
	}
	err := store.SaveOperations(ctx, records...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		op := s.byID[r.ID]
		switch {
		case op == nil || r.Ended.IsZero():
		case err == nil:
			delete(s.byID, r.ID)
		case len(s.writer.failed) < maxUnwritten:
			s.writer.failed = append(s.writer.failed, op)
		default:
			delete(s.byID, r.ID)
		}
	}
	return err
}

func (s *operations) isForgotten(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.forgotten
}

// trim removes old records, after so many more were written.
func (s *operations) trim(store history.Store, written int) error {
	w, now := &s.writer, time.Now()
	if w.saved += written; w.saved < historyTrim && now.Sub(w.trimmed) < historyTrimInterval {
		return nil
	}
	w.saved, w.trimmed = 0, now
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	return store.TrimOperations(ctx, history.Limits{
		Since: now.Add(-historyKept), PerPrincipal: historyPerPrincipal, Total: historyTotal,
	})
}

// tickOperations has the state of what has been running for long written, and what
// could not be written.
func (h *Handler) tickOperations() {
	s, now := &h.operations, time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for op := range s.running {
		if now.Sub(op.Started) >= historyInterval {
			op.pace.note(op.Started, now, op.monitor.Snapshot())
			s.identifyLocked(op)
			s.writeLocked(h, op)
		}
	}
	for _, op := range s.writer.failed {
		s.writeLocked(h, op)
	}
	s.writer.failed = nil
	if s.ticking = false; len(s.running) > 0 {
		s.tickLaterLocked(h)
	}
}

// tickLaterLocked makes sure that the next tick is coming.
func (s *operations) tickLaterLocked(h *Handler) {
	if !s.ticking {
		s.ticking = true
		time.AfterFunc(historyInterval, h.tickOperations)
	}
}

// forget removes the record id.
func (h *Handler) forget(ctx context.Context, id string) error {
	s := &h.operations
	s.mu.Lock()
	if op := s.byID[id]; op != nil {
		op.forgotten = true
		delete(s.byID, id)
	}
	s.mu.Unlock()
	s.writer.saving.Lock()
	defer s.writer.saving.Unlock()
	return h.records().DeleteOperation(ctx, id)
}
