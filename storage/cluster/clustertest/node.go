package clustertest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// patience is how long Claim waits for other nodes.
const patience = time.Second

// node is a State as a cluster.Node.
type node State

func (n *node) state() *State { return (*State)(n) }

// Claim implements cluster.Node, like the methods below.
func (n *node) Claim(ctx context.Context, w cluster.Work) (cluster.Claim, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		var made *claim
		var changed <-chan struct{}
		err := n.state().change("Claim", func() (err error) {
			changed = n.db.changed
			made, err = n.claimLocked(ctx, w)
			return err
		})
		if !errors.Is(err, cluster.ErrClaimed) {
			if err != nil {
				return nil, err
			}
			return made, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (n *node) claimLocked(ctx context.Context, w cluster.Work) (*claim, error) {
	d, scopes := n.db, folded(w.Scopes)
	if op := w.Operation; op != nil && op.Key != [32]byte{} {
		for id, r := range d.operations {
			late := !r.ended.IsZero() && !op.Arrived.IsZero() && time.Since(r.ended) < time.Since(op.Arrived)
			if r.key == op.Key && (late || d.runningLocked(ctx, id)) {
				return nil, &cluster.RunningError{ID: id}
			}
		}
	}
	for _, other := range d.works {
		if !overlap(scopes, other.scopes) {
			continue
		}
		n.refused++
		if holder := d.members[other.epoch]; holder == nil || holder.silent {
			return nil, cluster.ErrSilent
		}
		return nil, cluster.ErrClaimed
	}
	for _, r := range d.operations {
		r.kept = r.kept && !overlap(scopes, r.scopes)
	}
	made := &work{id: newEpoch(), epoch: n.epoch, scopes: scopes, record: w.Record}
	if op := w.Operation; op != nil {
		made.operation = op.Record.ID
		if err := d.history.SaveOperations(ctx, op.Record); err != nil {
			return nil, err
		}
		d.operations[op.Record.ID] = &row{key: op.Key, epoch: n.epoch, node: n.name, scopes: scopes, reported: time.Now()}
	}
	d.works = append(d.works, made)
	n.held++
	n.claims++
	return &claim{of: n, work: made, context: n.context}, nil
}

// claim implements cluster.Claim.
type claim struct {
	of      *node
	work    *work
	context context.Context //nolint:containedctx // that of the membership
	ended   bool
}

// ID implements cluster.Claim, like the methods below.
func (c *claim) ID() string { return c.work.id }

func (c *claim) Context() context.Context { return c.context }

// Transaction returns ctx: a cluster in memory has no database.
func (*claim) Transaction(ctx context.Context) (context.Context, error) { return ctx, nil }

// Undo implements [cluster.Claim].
func (*claim) Undo(context.Context) {}

func (c *claim) End(ctx context.Context, result *cluster.Result) error {
	d := c.of.db
	err := c.of.state().call("End", func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		w := d.findLocked(c.work.id)
		if w == nil || w.epoch != c.of.epoch || w.adopted {
			return cluster.ErrFenced
		}
		d.endLocked(w, cluster.Finished)
		return d.saveLocked(ctx, result)
	})
	if errors.Is(err, cluster.ErrFenced) {
		err = c.outcome(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !c.ended {
		c.ended = true
		c.of.held--
		d.changedLocked()
	}
	return err
}

// outcome waits until another node has settled the work.
func (c *claim) outcome(ctx context.Context) error {
	d := c.of.db
	for {
		d.mu.Lock()
		o, changed := d.commits[c.work.id], d.changed
		d.mu.Unlock()
		if o != "" {
			return &cluster.TakenOverError{Outcome: o}
		}
		select {
		case <-changed:
		case <-time.After(10 * patience):
			return cluster.ErrFenced
		case <-ctx.Done():
			return cluster.ErrFenced
		}
	}
}

func (n *node) Placing(_ context.Context, name string) (placing bool, err error) {
	err = n.state().call("Placing", func() error {
		n.db.mu.Lock()
		defer n.db.mu.Unlock()
		asked := folded([]cluster.Scope{{Name: name}})
		placing = slices.ContainsFunc(n.db.works, func(w *work) bool { return tree.Hides(w.record) && overlap(w.scopes, asked) })
		return nil
	})
	return placing, err
}

func (n *node) Operations() cluster.Operations { return (*operations)(n) }

func (n *node) Epoch() string {
	n.db.mu.Lock()
	defer n.db.mu.Unlock()
	return n.epoch
}

func (n *node) Stats() cluster.Stats {
	n.db.mu.Lock()
	defer n.db.mu.Unlock()
	return cluster.Stats{
		Member: n.db.members[n.epoch] == n.state() && !n.cut.Load(), Held: n.held, Claims: n.claims, Refused: n.refused,
		Takeovers: n.takeovers, Lost: n.lost,
	}
}

func (n *node) Run(ctx context.Context, settle func(ctx context.Context, works []cluster.Adopted)) error {
	var retry <-chan time.Time
	for {
		works, changed := n.next()
		if len(works) > 0 {
			settle(ctx, works)
			if left, again := n.next(); len(left) > 0 {
				retry, changed = time.After(patience), again
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-retry:
		}
	}
}

// next joins again if that is due, and returns the adopted works.
func (n *node) next() (works []cluster.Adopted, changed <-chan struct{}) {
	d := n.db
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members[n.epoch] != n.state() && n.held == 0 {
		n.state().joinLocked()
	}
	for _, w := range d.works {
		if w.epoch == n.epoch && w.adopted {
			works = append(works, cluster.Adopted{ID: w.id, Record: w.record, Operation: w.operation, Settle: n.settler(w)})
		}
	}
	return works, d.changed
}

func (n *node) settler(w *work) func(context.Context, cluster.Outcome, *cluster.Result) error {
	return func(ctx context.Context, o cluster.Outcome, result *cluster.Result) error {
		return n.state().change("Settle", func() error {
			if w.epoch != n.epoch {
				return cluster.ErrFenced
			}
			n.db.endLocked(w, o)
			return n.db.saveLocked(ctx, result)
		})
	}
}

func (n *node) Leave(context.Context) error {
	n.db.mu.Lock()
	defer n.db.mu.Unlock()
	delete(n.db.members, n.epoch)
	return nil
}

// saveLocked stores the result of an operation.
func (d *Database) saveLocked(ctx context.Context, result *cluster.Result) error {
	if result == nil {
		return nil
	}
	if r := d.operations[result.Record.ID]; r != nil {
		r.kept, r.held, r.ended = result.Keep, result.Held, time.Now()
	}
	return d.history.SaveOperations(ctx, result.Record)
}

// runningLocked reports whether the operation id has not ended.
func (d *Database) runningLocked(ctx context.Context, id string) bool {
	r, err := d.history.LoadOperation(ctx, id)
	return err == nil && r.State == history.Running
}
