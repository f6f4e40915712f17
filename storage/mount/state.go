package mount

import (
	"context"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/uploads"
)

// Backing is a state, such as a sqlstate.DB.
type Backing interface {
	Locks() lock.Manager
	Properties() deadprops.Store
	Journal() journal.Store
	History() history.Store
}

// State is the state of a name space. It keeps locks and dead properties under the ids of the
// shares, so they stay with a share when its place changes. Those of shares that don't exist now
// stay too, and are not shown. Names that belong to no share have neither (fs.ErrPermission).
//
// A lock on a collection protects the shares that are mounted in it. The journal is that of the
// Backing; package tree writes names of [Names] into it.
type State struct {
	Backing

	of         *FS
	locks      *locks
	properties *properties
	member     *member // nil if no other process uses the Backing
}

// State returns the state of f, which is kept in b. Only one State may use b.
func (f *FS) State(b Backing) *State {
	return &State{b, f, &locks{Manager: b.Locks(), of: f}, &properties{b.Properties(), f}, memberOf(b, f)}
}

// Locks returns the locks.
func (s *State) Locks() lock.Manager { return s.locks }

// Properties returns the dead properties.
func (s *State) Properties() deadprops.Store { return s.properties }

// Names returns the names that the journal uses.
func (s *State) Names() journal.Names { return s.of.Names() }

// Uploads returns the uploads in parts. They end when the place of their share changes.
func (s *State) Uploads() uploads.Store { return uploads.In(s.Backing) }

// current returns the table for a call with ctx.
func (f *FS) current(ctx context.Context) *table { return f.tableOf(f.pinOf(ctx)) }
