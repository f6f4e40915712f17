package operation

import (
	"context"
	"sync"
	"time"

	"github.com/davd/davd/storage/history"
)

// historyWriter writes records in batches, in a goroutine that ends when none are left
// to write. mu of operations guards it.
type historyWriter struct {
	queue  []*operation
	failed []*operation // to be written again
	// told are the operations whose address a client knows. The value says whether a record
	// exists or is being written. telling: writeTold is scheduled.
	told    map[*operation]bool
	telling bool
	// busy: the goroutine is running. If idle is not nil, it is closed when the goroutine
	// ends.
	busy bool
	idle chan struct{}

	// saving is held while the History is changed.
	saving sync.Mutex
	// The goroutine owns these.
	trimmed time.Time
	saved   int // since trimmed
}

// writeLocked schedules writing the record of op, unless it is scheduled already.
func (s *Registry) writeLocked(op *operation) {
	w := &s.writer
	if !op.queued {
		op.queued = true
		w.queue = append(w.queue, op)
	}
	if !w.busy {
		w.busy = true
		go s.writeHistory()
	}
}

// written returns a channel that is closed when no record is left to write.
func (s *Registry) written() <-chan struct{} {
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

// nextBatch returns the operations whose records must be written. It returns nil if
// there are none; the goroutine must then end.
func (s *Registry) nextBatch() []*operation {
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

// writeHistory writes records until none are left.
func (s *Registry) writeHistory() {
	for {
		batch := s.nextBatch()
		if len(batch) == 0 {
			return
		}
		err := s.save(batch)
		if err == nil {
			err = s.trim(len(batch))
		}
		if err == nil {
			continue
		}
		s.server.Log(s.look(batch[0]), err)
		s.mu.Lock()
		s.tickLaterLocked()
		s.mu.Unlock()
	}
}

// save writes the records of batch. Once written, an operation that has ended is only in
// s.server.Records().
func (s *Registry) save(batch []*operation) error {
	s.writer.saving.Lock()
	defer s.writer.saving.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	records := make([]history.Record, 0, len(batch))
	for _, op := range batch {
		if !s.isForgotten(op) {
			records = append(records, s.server.Record(op.Tenant, s.record(op)))
		}
	}
	err := s.server.Records().SaveOperations(ctx, records...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		op := s.byID[r.ID]
		if !r.Ended.IsZero() {
			delete(s.writer.told, op)
		}
		switch {
		case op == nil:
		case r.Ended.IsZero():
			if err == nil && op.state == running {
				s.writer.noteTold(op, true)
			}
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

// noteTold notes that a client knows the address of op, and whether op has a record. The
// note is removed when the end of op is saved.
func (w *historyWriter) noteTold(op *operation, written bool) {
	w.told[op] = written
}

func (s *Registry) isForgotten(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.state == forgotten
}

// trim removes old records if enough records were written or enough time has passed.
func (s *Registry) trim(written int) error {
	w, now := &s.writer, time.Now()
	if w.saved += written; w.saved < historyTrim && now.Sub(w.trimmed) < historyTrimInterval {
		return nil
	}
	w.saved, w.trimmed = 0, now
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	return s.server.Records().TrimOperations(ctx, history.Limits{
		Since: now.Add(-historyKept), PerPrincipal: historyPerPrincipal, Total: historyTotal,
	})
}
