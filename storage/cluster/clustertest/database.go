// Package clustertest has a cluster in memory, and a suite that each implementation of
// cluster.Node passes.
//
// The cluster in memory is a [Database] with a [State] for each node. A test decides what goes
// wrong: it declares nodes dead, cuts them from the database, and stops calls before or after
// they have taken effect.
package clustertest

import (
	"context"
	"crypto/rand"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
)

// Database is what all nodes share.
type Database struct {
	locks      *lock.System
	properties *deadprops.Mem
	history    *history.Mem

	mu      sync.Mutex
	members map[string]*State // by epoch
	works   []*work
	commits map[string]cluster.Outcome
	// operations has what the history doesn't store, by the ID.
	operations map[string]*row
	// changed is closed and replaced with each change.
	changed chan struct{}
}

// work is a row of the table work, with its claims.
type work struct {
	id, epoch string
	scopes    []cluster.Scope // folded
	record    []byte
	operation string
	adopted   bool
}

// row is an operation.
type row struct {
	key      [32]byte
	epoch    string
	node     string
	scopes   []cluster.Scope
	kept     bool
	held     bool
	stop     bool
	watched  time.Time
	reported time.Time
	ended    time.Time
}

// New returns an empty Database.
func New() (*Database, error) {
	locks, err := lock.New(context.Background(), lock.Options{})
	if err != nil {
		return nil, err
	}
	return &Database{
		locks: locks, properties: deadprops.NewMem(), history: history.NewMem(),
		members: make(map[string]*State), commits: make(map[string]cluster.Outcome), operations: make(map[string]*row),
		changed: make(chan struct{}),
	}, nil
}

// changedLocked wakes all that wait for a change.
func (d *Database) changedLocked() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Declare declares s dead. The node by takes over from it.
func (d *Database) Declare(s, by *State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.works {
		if w.epoch == s.epoch {
			w.epoch, w.adopted = by.epoch, true
		}
	}
	by.takeovers++
	delete(d.members, s.epoch)
	s.lost++
	s.end(cluster.ErrFenced)
	d.changedLocked()
}

// Works returns how many works there are.
func (d *Database) Works() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.works)
}

func (d *Database) findLocked(id string) *work {
	i := slices.IndexFunc(d.works, func(w *work) bool { return w.id == id })
	if i < 0 {
		return nil
	}
	return d.works[i]
}

// endLocked ends a work with its claims.
func (d *Database) endLocked(w *work, o cluster.Outcome) {
	d.commits[w.id] = o
	d.works = slices.DeleteFunc(d.works, func(each *work) bool { return each == w })
	d.changedLocked()
}

// folded returns scopes with folded names.
func folded(scopes []cluster.Scope) []cluster.Scope {
	all := slices.Clone(scopes)
	for i := range all {
		segments := strings.Split(all[i].Name, "/")
		for j := range segments {
			segments[j] = storage.Fold(segments[j])
		}
		all[i].Name = strings.Join(segments, "/")
	}
	return all
}

func overlap(a, b []cluster.Scope) bool {
	return slices.ContainsFunc(a, func(a cluster.Scope) bool {
		return slices.ContainsFunc(b, func(b cluster.Scope) bool {
			return a.Name == b.Name || holds(a, b.Name) || holds(b, a.Name)
		})
	})
}

// holds reports whether name, which differs from s.Name, is in s.
func holds(s cluster.Scope, name string) bool {
	return s.Tree && storage.Contains(s.Name, name) || s.Members && path.Dir(name) == s.Name
}

func newEpoch() string { return strings.ToLower(rand.Text()) }
