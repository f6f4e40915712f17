package operation

import (
	"context"
	"sync"
	"time"

	"github.com/davd/davd/storage/history"
)

const (
	// These limit how many records are kept for one principal, and in total.
	historyPerPrincipal = 1000
	historyTotal        = 5000
	// historyPatience is how long a write to the history may take.
	historyPatience = 30 * time.Second
	// maxUnwritten is how many records are kept in memory when they can't be written.
	maxUnwritten = 1000
	// historyTrim and historyTrimInterval are how many records are written, or how much
	// time passes, until old records are removed.
	historyTrim         = 100
	historyTrimInterval = time.Minute
)

// recorder writes records in batches, in a goroutine that ends when none are left to
// write.
type recorder struct {
	source recordSource

	mu    sync.Mutex
	queue map[*operation]struct{}
	// unwritten are ended operations whose record could not be written.
	unwritten []*operation
	// writing is closed when the goroutine ends. It is nil while no goroutine runs.
	writing chan struct{}

	// saving is held while a record is written or removed.
	saving sync.Mutex
	// The goroutine owns these.
	trimmed time.Time
	saved   int // since trimmed
}

// recordSource has what a recorder writes. A recorder doesn't hold its mu when it calls it.
type recordSource interface {
	// store returns where the records are written.
	store() history.Store
	// recordOf returns the record of op. ok is false if a client made the server forget op.
	recordOf(op *operation) (r history.Record, ok bool)
	// wrote takes note that op has a record. If over is true, that is the last one, and only
	// the history knows op from now on.
	wrote(op *operation, over bool)
	// failed takes note that the record of op could not be written.
	failed(op *operation, err error)
}

// write schedules writing the record of op.
func (w *recorder) write(op *operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeLocked(op)
}

func (w *recorder) writeLocked(op *operation) {
	if w.queue == nil {
		w.queue = make(map[*operation]struct{})
	}
	w.queue[op] = struct{}{}
	if w.writing == nil {
		w.writing = make(chan struct{})
		go w.run()
	}
}

// wait waits until no record is left to write.
func (w *recorder) wait() {
	w.mu.Lock()
	writing := w.writing
	w.mu.Unlock()
	if writing != nil {
		<-writing
	}
}

// run writes records until none are left.
func (w *recorder) run() {
	for {
		batch := w.next()
		if len(batch) == 0 {
			return
		}
		err := w.save(batch)
		if err == nil {
			err = w.trim(len(batch))
		}
		if err != nil {
			w.source.failed(batch[0], err)
			time.AfterFunc(historyInterval, w.retry)
		}
	}
}

// next returns the operations whose records must be written. If it returns none, the
// goroutine must end.
func (w *recorder) next() []*operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := make([]*operation, 0, len(w.queue))
	for op := range w.queue {
		batch = append(batch, op)
	}
	clear(w.queue)
	if len(batch) == 0 {
		close(w.writing)
		w.writing = nil
	}
	return batch
}

// save writes the records of batch.
func (w *recorder) save(batch []*operation) error {
	w.saving.Lock()
	defer w.saving.Unlock()
	records := make([]history.Record, 0, len(batch))
	written := make([]*operation, 0, len(batch))
	for _, op := range batch {
		if r, ok := w.source.recordOf(op); ok {
			records, written = append(records, r), append(written, op)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	err := w.source.store().SaveOperations(ctx, records...)
	for i, op := range written {
		over := !records[i].Ended.IsZero()
		if err == nil || over && !w.keep(op) {
			w.source.wrote(op, over)
		}
	}
	return err
}

// keep makes retry write the last record of op. It reports false if too many records are
// waiting for that.
func (w *recorder) keep(op *operation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.unwritten) == maxUnwritten {
		return false
	}
	w.unwritten = append(w.unwritten, op)
	return true
}

// retry schedules writing the records that could not be written before.
func (w *recorder) retry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range w.unwritten {
		w.writeLocked(op)
	}
	w.unwritten = nil
}

// trim removes old records if enough records were written or enough time has passed.
func (w *recorder) trim(written int) error {
	now := time.Now()
	if w.saved += written; w.saved < historyTrim && now.Sub(w.trimmed) < historyTrimInterval {
		return nil
	}
	w.saved, w.trimmed = 0, now
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	return w.source.store().TrimOperations(ctx, history.Limits{
		Since: now.Add(-historyKept), PerPrincipal: historyPerPrincipal, Total: historyTotal,
	})
}

// remove removes the record id. recordOf must no longer return it.
func (w *recorder) remove(ctx context.Context, id string) error {
	w.saving.Lock()
	defer w.saving.Unlock()
	return w.source.store().DeleteOperation(ctx, id)
}
