package tree

import (
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Workers limits how many goroutines work at the same time for all operations and walks
// that share it. A limit for each operation would not suffice: eight operations together
// could take all processors from other requests. The zero value is ready for use. A nil
// Workers stands for one that the operation or walk doesn't share.
type Workers struct {
	// OnBusy, if not nil, is called with true when a first long operation begins to copy
	// or remove, and with false when the last one ends. Calls do not overlap, and
	// operations wait for them to return.
	OnBusy func(busy bool)

	once sync.Once
	work turns // of goroutines that copy and remove
	// How many helpers all walks may have together. On quick storage, more helpers than
	// processors gain nothing. On slow storage they mostly wait, and each one makes a
	// walk shorter. A walk that gets no helper continues alone.
	quick, slow *semaphore.Weighted
	// On slow storage, countSlow limits the helpers of all counts together. On quick
	// storage processors are scarce, so only one goroutine counts at a time.
	countSlow *semaphore.Weighted
	counting  turns

	// Slices that walks use for a short time: a large listing has thousands of steps.
	entries, members sync.Pool

	mu   sync.Mutex
	long int // the number of long operations
}

// Limit returns how many goroutines of all operations together may copy and remove at
// the same time. Each may occupy one of the runtime's processors with system calls. So a
// server that must answer other requests meanwhile should raise GOMAXPROCS by this
// number while OnBusy reports true.
func (w *Workers) Limit() int { return w.ready().work.limit }

// ready returns w, or a new Workers if w is nil, and sets its limits.
func (w *Workers) ready() *Workers {
	if w == nil {
		w = &Workers{}
	}
	w.once.Do(func() {
		processors := max(runtime.GOMAXPROCS(0), 2)
		// On a local disk, more threads than processors gain nothing, and its journal
		// can't keep more than eight busy.
		w.work.limit, w.counting.limit = min(processors, 8), 1
		w.quick, w.slow = semaphore.NewWeighted(int64(processors)), semaphore.NewWeighted(32)
		w.countSlow = semaphore.NewWeighted(16)
	})
	return w
}

// addLong adds by, 1 or -1, to the number of long operations. It calls OnBusy for the first
// one and after the last one.
func (w *Workers) addLong(by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.long += by
	if first := max(by, 0); w.long == first && w.OnBusy != nil {
		w.OnBusy(by > 0)
	}
}
