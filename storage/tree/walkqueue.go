package tree

import (
	"io/fs"

	"github.com/davd/davd/storage"
)

// A step is a part of a walk: some members of a collection. The steps that are not yet
// delivered form a list, in the order of delivery. A step inserts those that follow
// from it right behind itself.
type step struct {
	next  *step
	of    *walked
	state stepState
	// found holds members, of which this step describes those between from and to. It
	// is nil if the step must find them first.
	found    storage.Members
	from, to int
	broken   bool // the step reports that the collection could not be listed as a whole
	cost     int  // what it adds to walking.ahead

	members []Member
	pooled  *[]Member // the pool's slice that members uses
	below   []*walked
	deliver func() error
}

type stepState int

const (
	stepWaiting stepState = iota
	stepRunning
	stepDone
)

// walked is a collection that the walk goes through.
type walked struct {
	*lineage
	name   string
	depth  int     // the depth of its members
	branch *branch // what is counted; nil in a walk that is not part of a count
	linked bool    // a symbolic link has led to it

	// Only the step that finds members sets these. No two such steps run at the same
	// time.
	visited bool
	ended   bool // no more members can be found
	err     error

	// steps holds the steps since the last gate. running is how many of them are
	// running, and since is how many members they have found.
	steps          []*step
	running, since int
	gate           *step
}

// maxSince limits how many members of one collection are found before the collections
// among them are entered, because those must be kept in memory until then.
const maxSince = 32 << 10

// left returns how many of the found members are left for s and the steps behind it.
func (s *step) left() int {
	if s.found == nil {
		return 0
	}
	return s.found.Len() - s.from
}

// insert puts a step right behind s and returns it.
func (s *step) insert(next *step) *step {
	next.next, s.next = s.next, next
	return next
}

// follow inserts what comes behind s, once it is settled that s ends before the member
// s.to. This is a step for the rest of the members that were found, a step that finds
// more of them, or a step that reports an error of the listing. Once all members are
// found, or maxSince of them, it is a gate, which opens when all steps before it are
// done.
func (of *walked) follow(s *step) {
	next := &step{of: of}
	switch {
	case s.found != nil && s.to < s.found.Len():
		next.found, next.from = s.found, s.to
	case of.ended && of.err != nil && !s.broken:
		next.broken = true
	case of.ended || of.since >= maxSince:
		next.state, of.gate = stepRunning, next
		s.insert(next)
		return
	}
	of.steps = append(of.steps, s.insert(next))
}

// open opens the gate. It inserts the collections that were found, then a step that
// finds the rest of the members. It reports whether the whole collection is done.
func (of *walked) open() (done bool) {
	gate := of.gate
	at := gate
	for _, s := range of.steps {
		for _, below := range s.below {
			at = at.insert(below.first())
		}
	}
	of.steps, of.since, of.gate = nil, 0, nil
	if !of.ended {
		of.steps = append(of.steps, at.insert(&step{of: of}))
	}
	gate.state = stepDone
	return of.ended
}

// first returns the first step of a collection.
func (of *walked) first() *step {
	s := &step{of: of}
	of.steps = append(of.steps, s)
	return s
}

// newWalked returns the collection name, which info describes, for a walk of that
// depth.
func newWalked(name string, info fs.FileInfo, depth int, parent *lineage, b *branch) *walked {
	of := &walked{lineage: &lineage{info: info, parent: parent}, name: name, branch: b}
	if depth == Infinite {
		of.depth = Infinite
	}
	return of
}
