package lock

import (
	"container/heap"
	"time"
)

// unscheduled is the place of an entry that is not in the heap.
const unscheduled = -1

// expiryHeap holds the entries that will expire, the next one first.
type expiryHeap []*entry

func (h expiryHeap) Len() int { return len(h) }

func (h expiryHeap) Less(i, j int) bool { return h[i].lock.Expires.Before(h[j].lock.Expires) }

func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap.
func (h *expiryHeap) Push(x any) {
	e := x.(*entry) //nolint:forcetypeassert // schedule is the only caller
	e.place = len(*h)
	*h = append(*h, e)
}

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.place = unscheduled
	return e
}

// schedule adds e to the heap, unless it does not expire or is held.
func (h *expiryHeap) schedule(e *entry) {
	if !e.held && !e.lock.Expires.IsZero() {
		heap.Push(h, e)
	}
}

// unschedule removes e from the heap, if it is in it.
func (h *expiryHeap) unschedule(e *entry) {
	if e.place != unscheduled {
		heap.Remove(h, e.place)
	}
}

// expired returns an entry that has expired, if any.
func (h expiryHeap) expired(now time.Time) (*entry, bool) {
	if len(h) == 0 || h[0].alive(now) {
		return nil, false
	}
	return h[0], true
}
