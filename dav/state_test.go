package dav_test

import (
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/uploads"
)

var (
	_ dav.State = (*sqlstate.DB)(nil)
	_ dav.State = (*memstate.State)(nil)
)

// parts is a State in memory of which some parts are replaced.
type parts struct {
	dav.State
	locks      lock.Manager
	properties deadprops.Store
	journal    journal.Store
	history    history.Store
	uploads    uploads.Store
}

// Uploads returns those of the State, unless there are others.
func (p *parts) Uploads() uploads.Store {
	if p.uploads != nil {
		return p.uploads
	}
	return uploads.In(p.State)
}

func (p *parts) Locks() lock.Manager {
	if p.locks != nil {
		return p.locks
	}
	return p.State.Locks()
}

func (p *parts) Properties() deadprops.Store {
	if p.properties != nil {
		return p.properties
	}
	return p.State.Properties()
}

func (p *parts) Journal() journal.Store { return p.journal }

func (p *parts) Names() journal.Names {
	if p.State != nil {
		return p.State.Names()
	}
	return nil
}

func (p *parts) History() history.Store {
	if p.history != nil {
		return p.history
	}
	return p.State.History()
}

// stateOf returns a State of p and memory.
func stateOf(tb testing.TB, p parts) dav.State {
	tb.Helper()
	p.State = newMemState()
	return &p
}

// newMemState returns an empty State in memory.
func newMemState() dav.State {
	state, err := memstate.New(lock.Options{})
	if err != nil {
		panic(err)
	}
	return state
}
