package tree

import "sync"

// busy counts the long operations of the process.
type busy struct {
	mu         sync.Mutex
	operations int
	tell       func(busy bool)
}

var processBusy busy

// OnBusy sets the function that is called with true when a first long operation begins
// to copy or remove, and with false when the last one ends. Calls do not overlap, and
// operations wait for them to return.
func OnBusy(tell func(busy bool)) {
	processBusy.mu.Lock()
	defer processBusy.mu.Unlock()
	processBusy.tell = tell
}

func (b *busy) enter() { b.add(1, 1) }

func (b *busy) leave() { b.add(-1, 0) }

// add adds n to the number of operations, and calls tell if the result is edge.
func (b *busy) add(n, edge int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.operations += n
	if b.operations == edge && b.tell != nil {
		b.tell(n > 0)
	}
}
