package clustertest

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
)

// State is the state of one node.
type State struct {
	// Hook, if not nil, is called before and after each call that reaches the database. An error
	// of the first becomes that of the call.
	Hook func(call string, done bool) error

	db   *Database
	name string
	cut  atomic.Bool

	// mu of db guards these.
	epoch           string
	silent          bool
	context         context.Context //nolint:containedctx // that of the membership
	end             context.CancelCauseFunc
	held            int
	claims, refused int64
	takeovers, lost int64

	locks      *locks
	properties *properties
	history    *records
}

// Node returns the state of a new node.
func (d *Database) Node(name string) *State {
	s := &State{db: d, name: name}
	s.locks, s.properties, s.history = &locks{d.locks, s}, &properties{d.properties, s}, &records{d.history, s}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.joinLocked()
	return s
}

func (s *State) joinLocked() {
	s.epoch = newEpoch()
	s.db.members[s.epoch] = s
	s.context, s.end = context.WithCancelCause(context.Background())
}

// Cut cuts the node from the database, or connects it again.
func (s *State) Cut(cut bool) { s.cut.Store(cut) }

// Silence makes the node look to others as if it had not renewed its lease.
func (s *State) Silence(silent bool) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.silent = silent
}

// Cluster implements cluster.Member.
func (s *State) Cluster() cluster.Node { return (*node)(s) }

// Locks returns the locks.
func (s *State) Locks() lock.Manager { return s.locks }

// Properties returns the dead properties.
func (s *State) Properties() deadprops.Store { return s.properties }

// Journal returns the records of works.
func (s *State) Journal() journal.Store { return works{s} }

// Names returns nil.
func (*State) Names() journal.Names { return nil }

// History returns the results of operations.
func (s *State) History() history.Store { return s.history }

// call makes one call of the database.
func (s *State) call(name string, do func() error) error {
	if s.Hook != nil {
		if err := s.Hook(name, false); err != nil {
			return err
		}
	}
	if s.cut.Load() {
		return storage.ErrUnavailable
	}
	err := do()
	if s.Hook != nil {
		if lost := s.Hook(name, true); lost != nil {
			return lost
		}
	}
	return err
}

// change is call for something that only a member may do.
func (s *State) change(name string, do func() error) error {
	return s.call(name, func() error {
		s.db.mu.Lock()
		defer s.db.mu.Unlock()
		if s.db.members[s.epoch] != s {
			return cluster.ErrFenced
		}
		return do()
	})
}

// works is the table work as a journal.
type works struct{ *State }

// SaveRecord implements journal.Store, like the methods below.
func (w works) SaveRecord(_ context.Context, id string, record []byte) error {
	return w.change("SaveRecord", func() error {
		found := w.db.findLocked(id)
		if found == nil || found.epoch != w.epoch {
			return cluster.ErrFenced
		}
		found.record = record
		return nil
	})
}

func (w works) DeleteRecord(ctx context.Context, id string) error { return w.SaveRecord(ctx, id, nil) }

func (w works) LoadRecords(context.Context) (all [][]byte, err error) {
	return all, w.change("LoadRecords", func() error {
		for _, each := range w.db.works {
			if each.epoch == w.epoch && each.adopted && each.record != nil {
				all = append(all, each.record)
			}
		}
		return nil
	})
}

// locks are the locks as one node uses them.
type locks struct {
	lock.Manager

	of *State
}

// Acquire implements lock.Manager, like the methods below.
func (l *locks) Acquire(ctx context.Context, now time.Time, wanted lock.Lock) (granted lock.Lock, err error) {
	err = l.of.change("Acquire", func() (err error) {
		granted, err = l.Manager.Acquire(ctx, now, wanted)
		return err
	})
	return granted, err
}

func (l *locks) Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (renewed lock.Lock, err error) {
	err = l.of.change("Renew", func() (err error) {
		renewed, err = l.Manager.Renew(ctx, now, token, duration)
		return err
	})
	return renewed, err
}

func (l *locks) Release(ctx context.Context, now time.Time, token string) error {
	return l.of.change("Release", func() error { return l.Manager.Release(ctx, now, token) })
}

func (l *locks) ReleaseTree(ctx context.Context, now time.Time, name string) error {
	return l.of.change("ReleaseTree", func() error { return l.Manager.ReleaseTree(ctx, now, name) })
}

func (l *locks) Find(ctx context.Context, now time.Time, name string, tree bool) (found []lock.Lock, err error) {
	err = l.of.call("Find", func() (err error) {
		found, err = l.Manager.Find(ctx, now, name, tree)
		return err
	})
	return found, err
}

// properties are the dead properties as one node uses them.
type properties struct {
	deadprops.Store

	of *State
}

// Any implements deadprops.Store, like the methods below.
func (p *properties) Any(ctx context.Context, name string) (found bool, err error) {
	err = p.of.call("Any", func() (err error) {
		found, err = p.Store.Any(ctx, name)
		return err
	})
	return found, err
}

func (p *properties) Read(ctx context.Context, query deadprops.Query) (found map[string][]webdav.Property, next *deadprops.Next, err error) {
	err = p.of.call("Read", func() (err error) {
		found, next, err = p.Store.Read(ctx, query)
		return err
	})
	return found, next, err
}

func (p *properties) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	return p.of.change("Patch", func() error { return p.Store.Patch(ctx, name, patches) })
}

func (p *properties) Move(ctx context.Context, src, dst string) error {
	return p.of.change("Move", func() error { return p.Store.Move(ctx, src, dst) })
}

func (p *properties) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return p.of.change("Copy", func() error { return p.Store.Copy(ctx, src, dst, zeroDepth) })
}

func (p *properties) Remove(ctx context.Context, name string) error {
	return p.of.change("Remove", func() error { return p.Store.Remove(ctx, name) })
}

// records are the records of operations as one node uses them.
type records struct {
	history.Store

	of *State
}

// SaveOperations implements history.Store, like the methods below.
func (r *records) SaveOperations(ctx context.Context, all ...history.Record) error {
	return r.of.change("SaveOperations", func() error { return r.Store.SaveOperations(ctx, all...) })
}

func (r *records) LoadOperation(ctx context.Context, id string) (found history.Record, err error) {
	err = r.of.call("LoadOperation", func() (err error) {
		found, err = r.Store.LoadOperation(ctx, id)
		return err
	})
	return found, err
}

func (r *records) DeleteOperation(ctx context.Context, id string) error {
	return r.of.change("DeleteOperation", func() error { return r.Store.DeleteOperation(ctx, id) })
}
