package interim

import "sync/atomic"

const (
	// maxHeldAnswers is how many bytes the held bodies of all answers may take. Once they
	// take more, bodies longer than LeastHeld are streamed.
	maxHeldAnswers = 16 << 20
	// LeastHeld is the longest body that is held even then, in bytes.
	LeastHeld = 32 << 10
)

// Held counts the memory of the held bodies that are longer than
// LeastHeld.
type Held struct{ bytes atomic.Int64 }

// Full reports whether the held bodies take more than maxHeldAnswers.
func (a *Held) Full() bool { return a != nil && a.bytes.Load() > maxHeldAnswers }

// Count changes what is counted for one body from was to size bytes, and returns the
// new count, which is 0 for a short body.
func (a *Held) Count(was, size int64) int64 {
	if a == nil || size <= LeastHeld {
		size = 0
	}
	if size != was {
		a.bytes.Add(size - was)
	}
	return size
}
