package limit

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/status"
)

// Budget limits how many bytes of some kind are in memory at a time. The zero value
// is ready to use.
type Budget struct {
	mu    sync.Mutex
	used  int64
	freed chan struct{} // closed when used decreases; nil while no request waits
}

// Used returns how many bytes are taken.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// TryTake takes n bytes out of a budget of most bytes, if that many are free.
func (b *Budget) TryTake(n, most int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takeLocked(n, most)
}

// takeLocked takes n bytes if they fit. If nothing is taken, it takes n even beyond
// most.
func (b *Budget) takeLocked(n, most int64) bool {
	if b.used > 0 && b.used+n > most {
		return false
	}
	b.used += n
	return true
}

// Take waits until n bytes out of most are free. It returns a 503 after patience.
func (b *Budget) Take(ctx context.Context, n, most int64, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		b.mu.Lock()
		if b.takeLocked(n, most) {
			b.mu.Unlock()
			return nil
		}
		if b.freed == nil {
			b.freed = make(chan struct{})
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return errManyLargeProps
		}
	}
}

var errManyLargeProps = status.New(http.StatusServiceUnavailable, "too many large properties are being read: try again, or ask for fewer properties")

// GiveBack returns n bytes to the budget.
func (b *Budget) GiveBack(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}
