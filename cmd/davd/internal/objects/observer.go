package objects

import (
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage/objectfs"
)

// Observer tells a [Watch] what storages do. The zero value has none yet, and a nil Observer never
// gets one.
type Observer struct {
	watch atomic.Pointer[Watch]
}

// Watch has the functions that an [Observer] calls.
type Watch struct {
	// Request is called after each request to S3, such as "PutObject". status is 0 if there was no
	// answer.
	Request func(operation string, status int, took time.Duration)
	// Collected is called after each round of a collector.
	Collected func(objectfs.Collected)
}

// Set sets what o calls from now on.
func (o *Observer) Set(w Watch) { o.watch.Store(&w) }

func (o *Observer) request(operation string, status int, took time.Duration) {
	if w := o.watch.Load(); w != nil {
		w.Request(operation, status, took)
	}
}

func (o *Observer) collected(done objectfs.Collected) {
	if o == nil {
		return
	}
	if w := o.watch.Load(); w != nil {
		w.Collected(done)
	}
}
