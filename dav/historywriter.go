package dav

import (
	"context"
	"sync"
	"time"

	"github.com/davd/davd/storage/history"
)

// historyWriter writes records, many at a time, in a goroutine that ends when there
// is nothing to write. mu of the operations guards it.
type historyWriter struct {
	queue  []*operation
	failed []*operation // to be tried again
	// told are the operations of which somebody has the address; true: they have a
	// record, or will have. telling: writeTold is coming.
	told    map[*operation]bool
	telling bool
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
			h.OperationLogger(s.look(batch[0]), err)
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
			records = append(records, inState(op, s.record(op)))
		}
	}
	err := store.SaveOperations(ctx, records...)
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
			if err == nil && !op.over {
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

// noteTold notes that somebody has the address of op, and whether there is a record
// of it. The record of its end takes the note away.
func (w *historyWriter) noteTold(op *operation, written bool) {
	if w.told == nil {
		w.told = make(map[*operation]bool)
	}
	w.told[op] = written
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
