package dav

import "sync/atomic"

const (
	// maxHeldAnswers is how many bytes the held bodies of all answers may take. Once they
	// take more, bodies longer than leastHeldAnswer are streamed.
	maxHeldAnswers  = 16 << 20
	leastHeldAnswer = 32 << 10
)

// heldAnswers counts the memory of the held bodies that are longer than
// leastHeldAnswer.
type heldAnswers struct{ bytes atomic.Int64 }

// full reports whether the held bodies take more than maxHeldAnswers.
func (a *heldAnswers) full() bool { return a != nil && a.bytes.Load() > maxHeldAnswers }

// count changes what is counted for one body from was to size bytes, and returns the
// new count, which is 0 for a short body.
func (a *heldAnswers) count(was, size int64) int64 {
	if a == nil || size <= leastHeldAnswer {
		size = 0
	}
	if size != was {
		a.bytes.Add(size - was)
	}
	return size
}
