package tree

import "sync"

// busy counts the long operations of a process.
type busy struct {
	mu         sync.Mutex
	operations int
	tell       func(busy bool)
}

var processBusy busy

// OnBusy sets what is called with true when a long operation begins to copy or
// remove and none did before, and with false when the last one ends. It is called
// by one goroutine at a time, and operations wait for it.
func OnBusy(tell func(busy bool)) {
	processBusy.mu.Lock()
	defer processBusy.mu.Unlock()
	processBusy.tell = tell
}

func (b *busy) enter() { b.add(1, 1) }

func (b *busy) leave() { b.add(-1, 0) }

// add counts, and tells when there are as many as edge now.
func (b *busy) add(n, edge int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.operations += n
	if b.operations == edge && b.tell != nil {
		b.tell(n > 0)
	}
}
