package dav

import (
	"context"
	"errors"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

const (
	// historyInterval is the age at which a running operation gets a record, and the time
	// between two updates of it.
	historyInterval = 5 * time.Second
	// historyTold is how long after a client was told an operation's address the
	// operation gets a record. If it ends before, only its end is recorded, so short
	// operations cost one write.
	historyTold = 100 * time.Millisecond
	// historyKept is how long a record is kept after the operation has ended.
	historyKept = 24 * time.Hour
	// These limit how many records are kept for one principal, and in total.
	historyPerPrincipal = 1000
	historyTotal        = 5000
	// These limit how many failed members a record names, and the total length of their
	// names in bytes.
	maxRecordFailures = 1000
	maxRecordNames    = 64 << 10
	// historyPatience is how long a write to the History may take.
	historyPatience = 30 * time.Second
	// maxUnwritten is how many records are kept in memory when they can't be written.
	maxUnwritten = 1000
	// historyTrim and historyTrimInterval are how many records are written, or how much
	// time passes, until old records are removed.
	historyTrim         = 100
	historyTrimInterval = time.Minute
)

// records returns the part of History that the tenant of a request may see. If History
// is nil, the records are in memory.
func (h *Handler) records() history.Store {
	if h.Tenant != nil {
		return tenantHistory{h.allRecords()}
	}
	return h.allRecords()
}

// allRecords returns the records of all tenants. Their principals have the names that
// the state uses.
func (h *Handler) allRecords() history.Store {
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

// record returns the current record of op.
func (s *operations) record(op *operation) history.Record {
	s.mu.Lock()
	id, over, code, err, ended := s.identifyLocked(op), op.over, op.status, op.err, op.endedAt
	s.mu.Unlock()
	p := op.monitor.Snapshot()
	r := history.Record{
		ID: id, Principal: op.Principal, Method: op.Method, Source: op.Source, Destination: op.Destination,
		Depth: op.depth, Overwrite: op.overwrite, State: history.Running, Started: kept(op.Started), Updated: kept(time.Now()),
		Done: p.Done, Known: p.Known, Bytes: p.Bytes, KnownBytes: p.KnownBytes, Current: p.Current,
	}
	if over {
		r.Updated, r.Ended = kept(ended), kept(ended)
		r.Status, r.Reason = code, status.Reason(err)
		r.State = endState(err)
	}
	r.Failures, r.FailuresTotal = failuresOf(op, err)
	return r
}

// kept returns t with the precision of a record.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// endState returns the state of an operation that ended with err.
func endState(err error) history.State {
	for _, stopped := range []error{errStopped, ErrShutdown, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, stopped) {
			return history.Stopped
		}
	}
	return history.Finished
}

// failuresOf returns the failed members of op that fit into a record, and the number of
// all failures. err is the operation's error if it has ended.
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
		failures = append(failures, history.Failure{Name: outcome.Name, Status: status.Of(outcome.Err)})
	}
	return failures, total
}

// tickOperations schedules writing the records of operations that have been running for
// some time, and of those that could not be written before.
func (h *Handler) tickOperations() {
	s, now := &h.operations, time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for op := range s.running {
		if !op.probes() && now.Sub(op.Started) >= historyInterval {
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

// tickLaterLocked schedules the next tick.
func (s *operations) tickLaterLocked(h *Handler) {
	if !s.ticking {
		s.ticking = true
		time.AfterFunc(historyInterval, h.tickOperations)
	}
}

// keepTold makes sure that the operation id has a record soon, because a client is
// being told its address, which should work after a crash too. It doesn't wait for the
// record; only a 202 does that. A PROPFIND needs no record, because it ends with its
// client.
func (h *Handler) keepTold(id string) {
	s := &h.operations
	s.mu.Lock()
	defer s.mu.Unlock()
	op, w := s.byID[id], &s.writer
	if op == nil || op.over || op.key.method == "" {
		return
	}
	if _, known := w.told[op]; known {
		return
	}
	w.noteTold(op, false)
	if !w.telling {
		w.telling = true
		time.AfterFunc(historyTold, h.writeTold)
	}
}

// writeTold schedules writing the records that keepTold has asked for.
func (h *Handler) writeTold() {
	s := &h.operations
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writer.telling = false
	for op, written := range s.writer.told {
		if !written && !op.over {
			s.writer.noteTold(op, true)
			s.writeLocked(h, op)
		}
	}
}

// forget removes the record id.
func (h *Handler) forget(ctx context.Context, id string) error {
	s := &h.operations
	s.mu.Lock()
	if op := s.byID[id]; op != nil {
		op.forgotten = true
		delete(s.byID, id)
		delete(s.writer.told, op)
	}
	s.mu.Unlock()
	s.writer.saving.Lock()
	defer s.writer.saving.Unlock()
	return h.records().DeleteOperation(ctx, id)
}
