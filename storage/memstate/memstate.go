// Package memstate keeps locks, dead properties and the history of operations in memory.
// They end with the process.
package memstate

import (
	"context"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tokens"
	"github.com/davd/davd/storage/uploads"
)

// State is a state in memory. It has no journal, because after the end of the process an
// operation could not be completed with its locks and properties.
type State struct {
	locks      *lock.System
	properties *deadprops.Mem
	history    *history.Mem
	tokens     tokens.Mem
	uploads    uploads.Mem
}

// New returns an empty State. The Store of options must be nil.
func New(options lock.Options) (*State, error) {
	locks, err := lock.New(context.Background(), options)
	if err != nil {
		return nil, err
	}
	return &State{locks: locks, properties: deadprops.NewMem(), history: history.NewMem()}, nil
}

// Locks returns the locks.
func (s *State) Locks() lock.Manager { return s.locks }

// Properties returns the dead properties.
func (s *State) Properties() deadprops.Store { return s.properties }

// Journal returns nil.
func (*State) Journal() journal.Store { return nil }

// Names returns nil.
func (*State) Names() journal.Names { return nil }

// History returns the results of operations.
func (s *State) History() history.Store { return s.history }

// Uploads returns the uploads in parts.
func (s *State) Uploads() uploads.Store { return &s.uploads }

// Tokens returns the application passwords.
func (s *State) Tokens() tokens.Store { return &s.tokens }
