package pgstate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

// transactionKey is the key of the *transaction of a database in a context.
type transactionKey struct{ db *DB }

// within returns ctx with a transaction.
func (t *transaction) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, transactionKey{t.db}, t)
}

// outside returns ctx without a transaction.
func (db *DB) outside(ctx context.Context) context.Context {
	if ctx.Value(transactionKey{db}) == nil {
		return ctx
	}
	return context.WithValue(ctx, transactionKey{db}, (*transaction)(nil))
}

// joined returns the transaction of ctx, or nil if the call gets a connection of its own. changes says
// that the call changes something.
func (db *DB) joined(ctx context.Context, changes bool) (*transaction, error) {
	t, _ := ctx.Value(transactionKey{db}).(*transaction)
	if t == nil {
		return nil, nil //nolint:nilnil // the call has a connection of its own
	}
	return t.active(changes)
}

// active returns t, or the transaction that it belongs to, or nil if it has ended.
func (t *transaction) active(changes bool) (*transaction, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.phase {
	case opened:
		if t.gathered != nil && t != t.gathered.lead {
			return t.gathered.lead.active(changes)
		}
		return t, nil
	case broke:
		return nil, t.err
	case undone:
		if changes {
			return nil, cluster.ErrUndone
		}
	}
	return nil, nil //nolint:nilnil // it has ended, so it doesn't matter any more
}

// phase is how far a transaction is.
type phase int

const (
	opened phase = iota
	broke        // A statement has failed, so nothing can be committed.
	undone       // Nothing was changed, and nothing may be changed any more under the claim.
	closed       // It has ended.
)

// transaction is the transaction of a claim. It has the connection until it is committed, undone or
// broken, at most for Timing.Idle.
type transaction struct {
	db    *DB
	of    *membership
	timer *time.Timer

	mu        sync.Mutex
	beginning *beginning // nil after it has begun
	gathered  *gathered  // of which it is a member or the lead; nil without one
	phase     phase
	err       error // why it is broken; it matches cluster.ErrUndone
	tx        *Tx
	waiting   []*pgx.QueuedQuery // sent with the next statement whose result is needed
	wrote     bool               // Something was changed.
	known     known
	kept      bool // Results of operations are kept.
}

// beginning is how a transaction begins.
type beginning struct {
	// first adds the statements that are sent with BEGIN.
	first func(b *pgx.Batch)
	// check is called after them. It may send more, and may refuse the transaction.
	check func(ctx context.Context, t *transaction) error
	// patience is how long a claim that is not its own may refuse the transaction.
	patience time.Duration
	// scopes and named are those of a late claim.
	scopes []folded
	named  []cluster.Scope
}

// open begins a transaction.
func (db *DB) open(ctx context.Context, m *membership, o beginning) (*transaction, error) {
	t := &transaction{db: db, of: m, beginning: &o}
	if err := t.beginLocked(ctx, nil); err != nil { // nobody else has it yet
		return nil, err
	}
	return t, nil
}

// beginLocked begins t, and sends more statements in the same round trip. They are sent again with each attempt.
func (t *transaction) beginLocked(ctx context.Context, more []*pgx.QueuedQuery) error {
	ctx, stop := t.of.during(t.db.outside(ctx))
	defer stop()
	return t.db.claiming(ctx, t.beginning.patience, func() error {
		for attempt := 1; ; attempt++ {
			err := t.beginOnce(ctx, more)
			switch {
			case err == nil:
				return nil
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case !retryable(err) || attempt >= attempts:
				return err
			}
			if err := pause(ctx, 20*time.Millisecond<<attempt); err != nil {
				return err
			}
		}
	})
}

func (t *transaction) beginOnce(ctx context.Context, more []*pgx.QueuedQuery) error {
	conn, err := t.db.acquire(ctx)
	if err != nil {
		return err
	}
	t.tx = &Tx{conn: conn, db: t.db}
	var b pgx.Batch
	t.db.queueBegin(&b)
	t.beginning.first(&b)
	b.QueuedQueries = append(b.QueuedQueries, more...)
	if err = t.tx.send(ctx, "BEGIN", &b); err == nil {
		err = t.beginning.check(ctx, t)
	}
	if err != nil {
		t.tx.rollback(ctx)
		conn.Release()
		return t.db.counted(err)
	}
	t.beginning = nil
	t.timer = time.AfterFunc(t.db.Timing.Idle, func() { t.fail(context.Background(), errTooLong) })
	return nil
}

// errTooLong ends a transaction whose request has hung.
var errTooLong = errors.New("the request took too long")

// send sends what waits, and statements, in one round trip. After an error the transaction is
// broken.
func (t *transaction) send(ctx context.Context, what string, statements []*pgx.QueuedQuery) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.phase == broke:
		return t.err
	case t.phase != opened:
		return cluster.ErrUndone
	case t.of.context.Err() != nil:
		t.failLocked(ctx, context.Cause(t.of.context))
		return t.err
	}
	all := slices.Concat(t.waiting, statements)
	t.waiting = nil
	var err error
	if t.beginning != nil {
		err = t.beginLocked(ctx, all)
	} else {
		err = t.tx.send(ctx, what, &pgx.Batch{QueuedQueries: all})
	}
	if err != nil {
		t.failLocked(ctx, err)
	}
	return t.db.counted(err)
}

// change makes a change as a part of t.
func (t *transaction) change(ctx context.Context, c change) (err error) {
	part := &Tx{db: t.db, part: t}
	if c.first != nil {
		var b pgx.Batch
		c.first(&b)
		part.queued = b.QueuedQueries
		err = part.settle(ctx)
	}
	if err == nil && c.rest != nil {
		err = c.rest(ctx, part)
	}
	if err == nil {
		err = part.settle(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote = t.wrote || part.wrote
	if err != nil && part.wrote {
		t.failLocked(ctx, err) // A part of the change must not be committed.
	}
	return err
}

// query is Query of a part of t.
func (t *transaction) query(ctx context.Context, query string, args ...any) (rows tables.Rows, err error) {
	err = t.change(ctx, change{rest: func(ctx context.Context, tx *Tx) (err error) {
		rows, err = tx.Query(ctx, query, args...)
		return err
	}})
	return rows, err
}

// settle sends what is queued if a result of it is needed. Otherwise it waits.
func (tx *Tx) settle(ctx context.Context) error {
	if slices.ContainsFunc(tx.queued, func(q *pgx.QueuedQuery) bool { return q.Fn != nil }) {
		return tx.flush(ctx, tx.queued[len(tx.queued)-1].SQL)
	}
	tx.part.mu.Lock()
	defer tx.part.mu.Unlock()
	tx.part.waiting = append(tx.part.waiting, tx.queued...)
	tx.queued = nil
	return nil
}

// fail breaks t, unless it has ended.
func (t *transaction) fail(ctx context.Context, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failLocked(ctx, err)
}

func (t *transaction) failLocked(ctx context.Context, err error) {
	if t.phase == opened {
		t.phase, t.err = broke, fmt.Errorf("%w: %s", cluster.ErrUndone, short(err))
		t.releaseLocked(ctx)
		if g := t.gathered; g != nil && t == g.lead {
			g.finish(t.err)
		}
	}
}

// releaseLocked undoes what was not committed, and gives the connection back.
func (t *transaction) releaseLocked(ctx context.Context) {
	t.waiting = nil
	if t.beginning != nil {
		return
	}
	t.timer.Stop()
	t.tx.rollback(ctx)
	t.tx.conn.Release()
}

// undo undoes t, unless it has ended. With final, nothing may be changed with its context afterwards.
func (t *transaction) undo(ctx context.Context, final bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch g := t.gathered; {
	case t.phase != opened:
	case g != nil:
		g.lead.fail(ctx, errMemberUndone)
	default:
		t.releaseLocked(ctx)
	}
	if t.phase != closed {
		t.phase = closed
		if final {
			t.phase = undone
		}
	}
}

// over reports whether t can't be committed, and the request knows that.
func (t *transaction) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase == undone || t.phase == closed
}

// beginWaitingLocked begins a late t if statements wait for it.
func (t *transaction) beginWaitingLocked(ctx context.Context) {
	if len(t.waiting) == 0 {
		return
	}
	if err := t.beginLocked(ctx, nil); err != nil {
		t.failLocked(ctx, err)
	}
}

// commit commits t with more statements. wrote says that t has changed something. The error is
// errUnknown if the answer was lost, and matches cluster.ErrUndone if t is undone for certain.
func (t *transaction) commit(ctx context.Context, last func(tx *Tx, wrote bool) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.gathered; g != nil && t != g.lead && t.phase == opened {
		t.phase = closed
		return g.commit(ctx)
	}
	if t.phase == opened && t.of.context.Err() != nil {
		t.failLocked(ctx, context.Cause(t.of.context))
	}
	if t.phase == opened && t.beginning != nil {
		t.beginWaitingLocked(ctx)
	}
	if t.phase == broke {
		t.phase = closed
		return t.err
	}
	defer func() {
		t.releaseLocked(ctx)
		t.phase = closed
	}()
	if t.beginning != nil {
		return nil
	}
	t.tx.queued = t.waiting
	if err := last(t.tx, t.wrote); err != nil {
		return fmt.Errorf("%w: %s", cluster.ErrUndone, short(err))
	}
	if len(t.tx.queued) == 0 && !t.wrote {
		return nil
	}
	err := t.db.counted(t.tx.commit(ctx))
	if err != nil && !errors.Is(err, errUnknown) {
		err = fmt.Errorf("%w: %s", cluster.ErrUndone, short(err))
	}
	return err
}
