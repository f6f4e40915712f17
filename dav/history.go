package dav

import (
	"context"
	"errors"
	"time"

	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

const (
	// historyInterval is the age from which on an operation has a record, and the
	// time between two states of it.
	historyInterval = 5 * time.Second
	// historyTold is how long after somebody was told the address of an operation it
	// has a record, unless it has ended by then: one that is short costs no more than
	// the record of its end.
	historyTold = 100 * time.Millisecond
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

// records returns what the tenant of a request may see of History or, where there is
// none, of one in memory.
func (h *Handler) records() history.Store {
	if h.Tenant != nil {
		return tenantHistory{h.allRecords()}
	}
	return h.allRecords()
}

// allRecords is records of all tenants, with their principals as the state names them.
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

// tickOperations has the state of what has been running for long written, and what
// could not be written.
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

// tickLaterLocked makes sure that the next tick is coming.
func (s *operations) tickLaterLocked(h *Handler) {
	if !s.ticking {
		s.ticking = true
		time.AfterFunc(historyInterval, h.tickOperations)
	}
}

// keepTold sees to it that the operation id has a record soon, because somebody is told
// its address: so it leads somewhere after a crash, too. It waits for nothing. That a
// record is there before the address is told, is for a 202 alone; a PROPFIND needs
// none, for it ends with its client.
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

// writeTold has the records written that keepTold has promised.
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
