package pgstate

import (
	"sync"
)

// peer is the row of another node.
type peer struct {
	epoch, name, address string
	beat                 int64
}

// sighting is what this node knows about another one.
type sighting struct {
	peer
	// count is how many renewals of this node in a row have seen the same beat.
	count int
	// dead says that its process has ended for certain.
	dead bool
}

// observer watches the other nodes. It is used from the loop that renews the lease; requests ask
// whether a node is silent.
type observer struct {
	mu   sync.Mutex
	seen map[string]sighting // by epoch
	// ended are the epochs of processes of this machine that have ended.
	ended map[string]bool
}

// observe notes the rows of the other nodes, at a renewal of this one.
func (o *observer) observe(others []peer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := make(map[string]sighting, len(others))
	for _, p := range others {
		s := sighting{peer: p, count: 1, dead: o.ended[p.epoch]}
		if before, ok := o.seen[p.epoch]; ok && before.beat == p.beat {
			s.count = before.count + 1
		}
		seen[p.epoch] = s
	}
	o.seen = seen
}

// interrupt starts the counts again, because a renewal of this node has failed: perhaps the
// database was away for the others too.
func (o *observer) interrupt() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for epoch, s := range o.seen {
		s.count = 0
		o.seen[epoch] = s
	}
}

// expect notes that the process with an epoch has ended.
func (o *observer) expect(epoch string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended == nil {
		o.ended = make(map[string]bool)
	}
	o.ended[epoch] = true
}

// dead returns the nodes that have missed renewals, and the ended ones.
func (o *observer) dead(missed int) (dead []peer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.seen {
		if s.dead || s.count >= missed {
			dead = append(dead, s.peer)
		}
	}
	return dead
}

// silent reports whether the node has not renewed its lease. A node that was not seen yet has
// just joined.
func (o *observer) silent(epoch string, missed int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.seen[epoch]
	return ok && (s.dead || s.count > missed)
}
