package dav

import "sync/atomic"

const (
	// maxHeldAnswers is how much memory the held bodies of all answers may take, in
	// bytes. Beyond it, those that are longer than leastHeldAnswer are streamed.
	maxHeldAnswers  = 16 << 20
	leastHeldAnswer = 32 << 10
)

// heldAnswers counts the memory of the held bodies of answers, as far as it is worth
// counting.
type heldAnswers struct{ bytes atomic.Int64 }

// full reports whether there is no room for another long body.
func (a *heldAnswers) full() bool { return a != nil && a.bytes.Load() > maxHeldAnswers }

// count notes that a body takes size bytes, of which was are counted, and returns how
// many are counted now.
func (a *heldAnswers) count(was, size int64) int64 {
	if a == nil || size <= leastHeldAnswer {
		size = 0
	}
	if size != was {
		a.bytes.Add(size - was)
	}
	return size
}
