package operation

import (
	"context"
	"errors"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
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

// record returns the current record of op.
func (s *Registry) record(op *operation) history.Record {
	s.mu.Lock()
	id, over, code, err, endedAt := s.identifyLocked(op), op.state != running, op.status, op.err, op.endedAt
	s.mu.Unlock()
	p := op.monitor.Snapshot()
	r := history.Record{
		ID: id, Principal: op.Principal, Method: op.Method, Source: op.Source, Destination: op.Destination,
		Depth: op.depth, Overwrite: op.overwrite, State: history.Running, Started: kept(op.Started), Updated: kept(time.Now()),
		Done: p.Done, Known: p.Known, Bytes: p.Bytes, KnownBytes: p.KnownBytes, Current: p.Current,
	}
	if over {
		r.Updated, r.Ended = kept(endedAt), kept(endedAt)
		r.Status, r.Reason = code, status.Reason(err)
		r.State = endState(err)
	}
	r.Failures, r.FailuresTotal = s.failuresOf(op, err)
	return r
}

// kept returns t with the precision of a record.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// endState returns the state of an operation that ended with err.
func endState(err error) history.State {
	for _, stopped := range []error{errStopped, status.ErrShutdown, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, stopped) {
			return history.Stopped
		}
	}
	return history.Finished
}

// failuresOf returns the failed members of op that fit into a record, and the number of
// all failures. err is the operation's error if it has ended.
func (s *Registry) failuresOf(op *operation, err error) (failures []history.Failure, total int64) {
	named, total := op.monitor.Failures()
	if ofErr, all, ok := s.server.Failures(err); ok {
		named, total = ofErr, all
	}
	room := maxRecordNames
	for i, failure := range named[:min(len(named), maxRecordFailures)] {
		if room -= len(failure.Name); room < 0 {
			return named[:i], total
		}
	}
	return named[:min(len(named), maxRecordFailures)], total
}

// tickOperations schedules writing the records of operations that have been running for
// some time, and of those that could not be written before.
func (s *Registry) tickOperations() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for op := range s.running {
		if !op.probes() && now.Sub(op.Started) >= historyInterval {
			op.pace.note(op.Started, now, op.monitor.Snapshot())
			s.identifyLocked(op)
			s.writeLocked(op)
		}
	}
	for _, op := range s.writer.failed {
		s.writeLocked(op)
	}
	s.writer.failed = nil
	if s.ticking = false; len(s.running) > 0 {
		s.tickLaterLocked()
	}
}

// tickLaterLocked schedules the next tick.
func (s *Registry) tickLaterLocked() {
	if !s.ticking {
		s.ticking = true
		time.AfterFunc(historyInterval, s.tickOperations)
	}
}

// keepTold makes sure that the operation id has a record soon, because a client is
// being told its address, which should work after a crash too. It doesn't wait for the
// record; only a 202 does that. A PROPFIND needs no record, because it ends with its
// client.
func (s *Registry) keepTold(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op, w := s.byID[id], &s.writer
	if op == nil || op.state != running || !op.key.joinable() {
		return
	}
	if _, known := w.told[op]; known {
		return
	}
	w.noteTold(op, false)
	if !w.telling {
		w.telling = true
		time.AfterFunc(historyTold, s.writeTold)
	}
}

// writeTold schedules writing the records that keepTold has asked for.
func (s *Registry) writeTold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writer.telling = false
	for op, written := range s.writer.told {
		if !written && op.state == running {
			s.writer.noteTold(op, true)
			s.writeLocked(op)
		}
	}
}

// forget removes the record id.
func (s *Registry) forget(ctx context.Context, id string) error {
	s.mu.Lock()
	if op := s.byID[id]; op != nil {
		op.state = forgotten
		delete(s.byID, id)
		delete(s.writer.told, op)
	}
	s.mu.Unlock()
	s.writer.saving.Lock()
	defer s.writer.saving.Unlock()
	return s.server.Records().DeleteOperation(ctx, id)
}
