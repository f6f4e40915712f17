package pgstate

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

// gathered is one transaction of several late claims. One latch, one look and one commit serve all
// of them.
type gathered struct {
	id      string // of the commit
	of      *membership
	lead    *transaction // what the database has
	members []*transaction

	mu      sync.Mutex
	left    int // members that have not ended
	err     error
	ended   chan struct{}
	settled bool // It is known what came of a COMMIT without an answer.
	made    bool
}

// errCrowded says that several claims can't be one, because one of them has to wait or needs more.
var errCrowded = errors.New("something is in the way of several claims")

// tryLatchQuery is latchQuery without waiting. It reports whether it has the latch.
const tryLatchQuery = `SELECT bool_and(CASE WHEN x THEN pg_try_advisory_xact_lock(k) ELSE pg_try_advisory_xact_lock_shared(k) END)
	FROM unnest($1::BIGINT[], $2::BOOLEAN[]) AS t(k, x)`

// Waits implements tables.Gatherer, like Gather.
func (d *database) Waits(ctx context.Context) bool {
	t, _ := ctx.Value(transactionKey{d.db()}).(*transaction)
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase == opened && t.beginning != nil && len(t.waiting) == 0
}

func (d *database) Gather(ctx context.Context, members []context.Context, query string, args ...any) (tables.Gathering, tables.Rows, bool, error) {
	g := &gathered{id: newID(), ended: make(chan struct{}), left: len(members)}
	for _, each := range members {
		t, _ := each.Value(transactionKey{d.db()}).(*transaction)
		if g.of == nil {
			g.of = t.of
		}
		if t.of != g.of {
			return nil, nil, false, nil
		}
		g.members = append(g.members, t)
	}
	g.lead = &transaction{db: d.db(), of: g.of, gathered: g, beginning: g.begins(d.db())}
	rows := &kept{types: d.db().types}
	statement := &pgx.QueuedQuery{SQL: query, Arguments: args}
	statement.Query(rows.keep)
	err := g.lead.send(d.db().outside(ctx), query, []*pgx.QueuedQuery{statement})
	if errors.Is(err, errCrowded) {
		return nil, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, err
	}
	for _, t := range g.members {
		t.join(g)
	}
	return g, rows, true, nil
}

// begins returns how the transaction begins: with the latches of all members, and a look at all their names.
func (g *gathered) begins(db *DB) *beginning {
	var scopes []folded
	var named []cluster.Scope
	for _, t := range g.members {
		scopes, named = append(scopes, t.beginning.scopes...), append(named, t.beginning.named...)
	}
	l := &look{of: g.of, in: areaOf(scopes), known: knowing(named)}
	latched := false
	return &beginning{
		first: func(b *pgx.Batch) {
			latched = false // It may be another attempt.
			keys, exclusive := g.of.latchKeys(scopes)
			b.Queue(tryLatchQuery, keys, exclusive).QueryRow(func(row pgx.Row) error { return row.Scan(&latched) })
			l.queue(b, db)
		},
		check: func(_ context.Context, t *transaction) error {
			if !latched {
				return errCrowded
			}
			if err := g.of.confirm(l.member); err != nil {
				return err
			}
			k := &l.known
			if l.claimed || l.locked || l.kept || !k.hasLocks || len(k.bare) < len(k.keys) {
				return errCrowded
			}
			t.known = *k
			return nil
		},
	}
}

// join makes t a member of g, which knows all that t would.
func (t *transaction) join(g *gathered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gathered = g
	t.known = g.lead.known
}

// Context implements tables.Gathering, like the methods below.
func (g *gathered) Context(ctx context.Context) context.Context { return g.lead.within(ctx) }

func (g *gathered) Done() <-chan struct{} { return g.ended }

func (g *gathered) Release(i int) {
	t := g.members[i]
	t.mu.Lock()
	if t.gathered != g {
		t.mu.Unlock()
		return
	}
	t.gathered, t.known = nil, known{}
	t.mu.Unlock()
	g.leave(context.Background())
}

// leave notes that a member has ended. The last one commits, unless none has stayed to the end.
func (g *gathered) leave(ctx context.Context) {
	g.mu.Lock()
	g.left--
	last := g.left == 0
	g.mu.Unlock()
	if !last {
		return
	}
	g.finish(g.lead.commit(ctx, func(tx *Tx, wrote bool) error {
		if wrote || len(tx.queued) > 0 {
			tx.Queue("INSERT INTO commits (id, epoch) VALUES ($1, $2)", g.id, g.of.epoch)
		}
		return nil
	}))
}

// finish notes how the transaction has ended. The first call counts.
func (g *gathered) finish(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.ended:
	default:
		g.err = err
		close(g.ended)
	}
}

// commit ends a member, and waits for the others.
func (g *gathered) commit(ctx context.Context) error {
	g.leave(ctx)
	<-g.ended // A member that hangs ends the transaction after Timing.Idle.
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// outcome finds out what came of a COMMIT without an answer, once for all members.
func (g *gathered) outcome(ctx context.Context, db *DB) (made bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.settled {
		if g.made, err = db.committed(ctx, g.of, g.id); err != nil {
			return false, err
		}
		g.settled = true
	}
	return g.made, nil
}

// errMemberUndone undoes the changes of all members.
var errMemberUndone = errors.New("another request of the same transaction was undone")
