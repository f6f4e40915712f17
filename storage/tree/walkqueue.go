package tree

import (
	"io/fs"

	"github.com/davd/davd/storage"
)

// A step is a part of a walk: some members of a collection. The steps that are
// known and have not been delivered are a list in the order of delivery. Those
// that a step makes known come behind it.
type step struct {
	next  *step
	of    *walked
	state stepState
	// found are the members from up to to; nil where they are to be found first.
	found    storage.Members
	from, to int
	broken   bool // the step reports that the collection could not be listed as a whole
	cost     int  // in members

	members []Member
	pooled  *[]Member // where members are from
	below   []*walked
	deliver func() error
}

type stepState int

const (
	stepWaiting stepState = iota
	stepRunning
	stepDone
)

// walked is a collection that is walked through.
type walked struct {
	*lineage
	name  string
	depth int // of its members
	// branch is what it is counted for, and linked that a symbolic link has led to it.
	branch *branch
	linked bool

	// Of the step that finds members, of which there is one at a time.
	visited bool
	ended   bool // there are no more members to be found
	err     error

	// steps are those since the last gate, running those of them at work, and
	// since how many members have been found.
	steps          []*step
	running, since int
	gate           *step
}

// maxSince is how many members of one collection are found at most before the
// collections among them are entered: those are kept for as long.
const maxSince = 32 << 10

// left returns how many members that were found s and those behind it are to
// describe.
func (s *step) left() int {
	if s.found == nil {
		return 0
	}
	return s.found.Len() - s.from
}

// insert puts a step behind s and returns it.
func (s *step) insert(next *step) *step {
	next.next, s.next = s.next, next
	return next
}

// follow makes known what comes behind s, whose members up to s.to are taken
// care of: more of those that were found; or the step that finds more; or, once
// all are found or too many are kept, a gate, which opens when all steps in front
// of it are done.
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

// open opens the gate: behind it come the collections that were found, and then
// the rest. It reports whether all of the collection is done.
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

// first returns the step that begins a collection.
func (of *walked) first() *step {
	s := &step{of: of}
	of.steps = append(of.steps, s)
	return s
}

// newWalked returns what info describes, to be walked through.
func newWalked(name string, info fs.FileInfo, depth int, parent *lineage) *walked {
	of := &walked{lineage: &lineage{info: info, parent: parent}, name: name}
	if depth == Infinite {
		of.depth = Infinite
	}
	return of
}
