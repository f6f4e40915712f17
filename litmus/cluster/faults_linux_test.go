package cluster

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// faults lets nodes, network and database fail until stop is closed. Then it repairs everything.
type faults struct {
	t    *testing.T
	site *site
	stop <-chan struct{}
	// kinds returns all faults of a node, some of them several times.
	kinds func(*faults) []fault

	mu   sync.Mutex
	rng  *rand.Rand
	deck []fault // what happens next
	// failing are the nodes that fail now. One of them always works.
	failing int
	count   map[string]int
	errs    []error
}

// A fault lets a node fail, and repairs it.
type fault func(n *node) error

func newFaults(t *testing.T, s *site, stop <-chan struct{}, seed uint64) *faults {
	t.Helper()
	f := &faults{t: t, site: s, stop: stop, kinds: clusterFaults, rng: rand.New(rand.NewPCG(seed, 5000)), count: map[string]int{}}
	if s.database == nil {
		f.kinds = func(f *faults) []fault { return []fault{f.crash} }
	}
	return f
}

// clusterFaults returns what may happen to a node of a cluster.
func clusterFaults(f *faults) []fault {
	return []fault{
		f.crash, f.crash, f.leave, f.hang, f.cut(toBalancer, 10*time.Second),
		f.cut(toDatabase, 3*time.Second), f.cut(toDatabase, 20*time.Second),
	}
}

// run returns when stop is closed and everything works again.
func (f *faults) run() error {
	var all sync.WaitGroup
	for _, n := range f.site.nodes {
		all.Go(func() { f.disturbNode(n) })
	}
	if f.site.database != nil {
		all.Go(f.disturbDatabase)
	}
	all.Wait()
	for _, n := range f.site.nodes {
		if err := n.ready(patience); err != nil {
			f.failed(err)
		}
	}
	return errors.Join(f.errs...)
}

func (f *faults) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// wait waits for a time between least and most. It returns false if stop was closed.
func (f *faults) wait(least, most time.Duration) bool {
	f.mu.Lock()
	length := least + time.Duration(f.rng.Int64N(int64(most-least)+1))
	f.mu.Unlock()
	select {
	case <-time.After(length):
		return true
	case <-f.stop:
		return false
	}
}

// note counts a fault.
func (f *faults) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[what]++
}

// String returns how many faults of each kind there were.
func (f *faults) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(f.count)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, f.count[what]))
	}
	return strings.Join(parts, ", ")
}

// deal returns the next fault for a node, or nil if no other node works.
func (f *faults) deal() fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing > 0 && f.failing >= len(f.site.nodes)-1 {
		return nil
	}
	f.failing++
	if len(f.deck) == 0 {
		f.deck = f.kinds(f)
		f.rng.Shuffle(len(f.deck), func(i, j int) { f.deck[i], f.deck[j] = f.deck[j], f.deck[i] })
	}
	next := f.deck[0]
	f.deck = f.deck[1:]
	return next
}

func (f *faults) disturbNode(n *node) {
	for f.wait(time.Second, 4*time.Second) {
		next := f.deal()
		if next == nil {
			continue
		}
		if err := next(n); err != nil {
			f.failed(fmt.Errorf("node %d: %w", n.number, err))
			return
		}
		f.mu.Lock()
		f.failing--
		f.mu.Unlock()
		if !n.process.running() {
			f.failed(fmt.Errorf("node %d has ended by itself:\n%s", n.number, n.log))
			return
		}
	}
}

// crash kills the node and starts it again soon.
func (f *faults) crash(n *node) error {
	f.note("kill -9")
	n.kill()
	f.wait(0, time.Second)
	return f.restart(n)
}

// leave kills the node and starts it again after others have taken over.
func (f *faults) leave(n *node) error {
	f.note("kill -9 with takeover")
	n.kill()
	f.wait(17*time.Second, 18*time.Second)
	return f.restart(n)
}

// hang stops the node for so long that others take over.
func (f *faults) hang(n *node) error {
	f.note("SIGSTOP")
	n.pause()
	f.wait(20*time.Second, 20*time.Second)
	n.resume()
	return nil
}

// cut unplugs a cable of the node.
func (f *faults) cut(l link, most time.Duration) fault {
	return func(n *node) error {
		f.note("cut from " + string(l))
		err := l.cut(n.number)
		f.wait(most/2, most)
		return errors.Join(err, l.mend(n.number))
	}
}

// restart starts the node until it is ready. It may end at once if it can't reach the database.
func (f *faults) restart(n *node) error {
	limit := time.Now().Add(patience)
	for {
		if err := n.start(); err != nil {
			return err
		}
		err := n.ready(time.Until(limit))
		if err == nil || time.Now().After(limit) {
			return err
		}
		f.note("start that failed")
		time.Sleep(500 * time.Millisecond)
	}
}

// disturbDatabase restarts the database again and again.
func (f *faults) disturbDatabase() {
	for f.wait(5*time.Second, 15*time.Second) {
		f.note("database restart")
		f.site.database.restart(f.t, func() {
			f.mu.Lock()
			long := f.rng.IntN(3) == 0
			f.mu.Unlock()
			if long { // so long that nodes stop changes
				f.wait(9*time.Second, 12*time.Second)
			} else {
				f.wait(0, 2*time.Second)
			}
		})
	}
}
