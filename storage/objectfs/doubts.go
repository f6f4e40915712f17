package objectfs

import (
	"slices"
	"sync"
	"time"
)

// mostDoubts is how many objects of this process may wait. Beyond that, the oldest are left to the
// time when the epoch of the process is over.
const mostDoubts = 100_000

// doubts are objects of this process that perhaps have no row: an upload failed, the answer
// of the database was lost, or the transaction that refers to the object has not ended. The
// collector clears them up.
type doubts struct {
	mu   sync.Mutex
	keys []doubt // the oldest first
}

type doubt struct {
	key   string
	since time.Time
}

func (d *doubts) add(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys) >= mostDoubts {
		d.keys = slices.Delete(d.keys, 0, mostDoubts/10)
	}
	d.keys = append(d.keys, doubt{key, time.Now()})
}

// take removes up to limit objects that have waited since before the given time, and returns
// them.
func (d *doubts) take(before time.Time, limit int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for n < len(d.keys) && n < limit && d.keys[n].since.Before(before) {
		n++
	}
	keys := make([]string, n)
	for i, doubt := range d.keys[:n] {
		keys[i] = doubt.key
	}
	d.keys = slices.Delete(d.keys, 0, n)
	return keys
}
