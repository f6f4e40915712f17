package clustertest

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
)

// watchedFor is how long a Load makes the operation report each second, keptFor how long a result
// is kept.
const (
	watchedFor = 10 * time.Second
	keptFor    = 2 * time.Minute
)

// operations is a State as cluster.Operations.
type operations State

func (o *operations) call(name string, do func() error) error {
	return (*State)(o).call(name, func() error {
		o.db.mu.Lock()
		defer o.db.mu.Unlock()
		return do()
	})
}

// Load implements cluster.Operations, like the methods below.
func (o *operations) Load(ctx context.Context, id string) (s cluster.Status, err error) {
	err = o.call("Load", func() (err error) {
		if r := o.db.operations[id]; r != nil {
			r.watched = time.Now()
		}
		s, err = o.db.statusLocked(ctx, id)
		return err
	})
	return s, err
}

func (d *Database) statusLocked(ctx context.Context, id string) (cluster.Status, error) {
	record, err := d.history.LoadOperation(ctx, id)
	r := d.operations[id]
	if err != nil || r == nil {
		return cluster.Status{Record: record}, err
	}
	s := cluster.Status{Record: record, Node: r.node, Stopping: r.stop && record.State == history.Running, Age: time.Since(r.reported)}
	if member := d.members[r.epoch]; member != nil {
		s.Alive = !member.silent
	} else {
		s.Alive = slices.ContainsFunc(d.works, func(w *work) bool { return w.operation == id })
	}
	return s, nil
}

func (o *operations) Running(ctx context.Context) (all []cluster.Status, err error) {
	err = o.call("Running", func() error {
		for id := range o.db.operations {
			if s, err := o.db.statusLocked(ctx, id); err == nil && s.Record.State == history.Running {
				all = append(all, s)
			}
		}
		return nil
	})
	return all, err
}

func (o *operations) Find(ctx context.Context, key [32]byte) (s cluster.Status, err error) {
	err = o.call("FindOperation", func() error {
		for id, r := range o.db.operations {
			if r.key != key || key == [32]byte{} {
				continue
			}
			held := r.held && o.db.members[r.epoch] != nil
			if o.db.runningLocked(ctx, id) || r.kept && !held && time.Since(r.ended) < keptFor {
				s, err = o.db.statusLocked(ctx, id)
				return err
			}
		}
		return fs.ErrNotExist
	})
	return s, err
}

func (o *operations) Forget(_ context.Context, id string) error {
	return o.call("Forget", func() error {
		if r := o.db.operations[id]; r != nil {
			r.kept = false
		}
		return nil
	})
}

func (o *operations) Release(_ context.Context, id string) error {
	return o.call("Release", func() error {
		if r := o.db.operations[id]; r != nil {
			r.held = false
		}
		return nil
	})
}

func (o *operations) Report(ctx context.Context, record history.Record) (stop, watched bool, err error) {
	err = (*State)(o).change("Report", func() error {
		r := o.db.operations[record.ID]
		if r == nil {
			r = &row{epoch: o.epoch, node: o.name}
			o.db.operations[record.ID] = r
		} else if !o.db.runningLocked(ctx, record.ID) {
			return nil // Its end is true, and this report was late.
		}
		r.reported = time.Now()
		stop, watched = r.stop, time.Since(r.watched) < watchedFor
		return o.db.history.SaveOperations(ctx, record)
	})
	return stop, watched, err
}

func (o *operations) Stop(_ context.Context, id string) error {
	return o.call("Stop", func() error {
		r := o.db.operations[id]
		if r == nil {
			return fs.ErrNotExist
		}
		r.stop, r.watched = true, time.Now()
		return nil
	})
}
