package pgstate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
)

// claim is a [cluster.Claim].
type claim struct {
	db   *DB
	of   *membership
	id   string
	once sync.Once
	// work is nil unless the claim is brief. Then no row of the table work stands for it, but its
	// transaction.
	work *briefWork

	mu          sync.Mutex
	transaction *transaction // nil before Transaction
	// unknown says that no answer has come to the COMMIT of the transaction.
	unknown bool
}

// ID implements [cluster.Claim], like the methods below.
func (c *claim) ID() string { return c.id }

func (c *claim) Context() context.Context { return c.of.context }

func (c *claim) End(ctx context.Context, result *cluster.Result) error {
	ctx = c.db.outside(ctx)
	err := c.end(ctx, result)
	if errors.Is(err, cluster.ErrUndone) && c.of.context.Err() != nil {
		err = &cluster.TakenOverError{Outcome: cluster.Undone}
	}
	if err == nil || errors.Is(err, cluster.ErrFenced) {
		c.once.Do(func() {
			c.of.mu.Lock()
			delete(c.of.claims, c.id)
			c.of.mu.Unlock()
			c.of.exit()
		})
	}
	return failed("ending a claim", err)
}

func (c *claim) end(ctx context.Context, result *cluster.Result) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.work != nil:
		return c.endBrief(ctx, result)
	case c.transaction != nil:
		return c.endTransaction(ctx, result)
	}
	return c.db.endWork(ctx, c.of, c.id, cluster.Finished, result)
}

// Claim implements [cluster.Node], like the methods below.
func (n *node) Claim(ctx context.Context, w cluster.Work) (cluster.Claim, error) {
	db := n.db()
	m, err := db.current()
	if err != nil {
		return nil, err
	}
	scopes := foldScopes(w.Scopes)
	var made *claim
	err = db.claiming(ctx, db.Timing.Claim, func() (err error) {
		made, err = db.claim(ctx, m, scopes, w)
		return err
	})
	if err != nil {
		return nil, failed("claiming "+w.Scopes[0].Name, err)
	}
	db.figures.claims.Add(1)
	return made, nil
}

// claiming calls claim again while another claim is in its way, as long as patience says.
func (db *DB) claiming(ctx context.Context, patience time.Duration, claim func() error) error {
	until := time.Now().Add(patience)
	for wait := 20 * time.Millisecond; ; wait *= 2 {
		err := claim()
		if err == nil {
			return nil
		}
		rest := time.Until(until)
		if refusal := err; !errors.Is(err, cluster.ErrClaimed) && !errors.Is(err, cluster.ErrSilent) || rest <= 0 {
			if _, running := errors.AsType[*cluster.RunningError](err); !running && patience > 0 {
				db.figures.refused.Add(1)
			}
			return refusal
		}
		if err := pause(ctx, min(wait, rest)); err != nil {
			return err
		}
	}
}

// claim claims once. It counts as a user of the membership from the start: if it stopped being one
// between the transaction and its end, the node could join again in between, and what the claim
// allows would be changed under the new epoch.
func (db *DB) claim(ctx context.Context, m *membership, scopes []folded, w cluster.Work) (made *claim, err error) {
	m.enter()
	defer func() {
		if made == nil {
			m.exit()
		}
	}()
	ctx = db.outside(ctx)
	for {
		id := newID()
		if w.Brief {
			return db.claimBriefly(ctx, m, id, scopes, w)
		}
		err := db.claimAs(ctx, m, id, scopes, w)
		if errors.Is(err, errUnknown) {
			var made bool
			if made, err = db.claimed(ctx, m, id); err == nil && !made {
				continue // It starts over with a new id.
			}
		}
		if err != nil {
			return nil, err
		}
		return m.hold(&claim{db: db, of: m, id: id}), nil
	}
}

// hold notes a claim of this node.
func (m *membership) hold(c *claim) *claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims[c.id] = c
	return c
}

// claimed finds out whether the work id, whose COMMIT got no answer, exists. See DB.committed. A
// row that it inserts itself stays until the first transaction has certainly ended: the work is
// abandoned.
func (db *DB) claimed(ctx context.Context, m *membership, id string) (bool, error) {
	made, err := db.committedAs(ctx, m, id, "INSERT INTO work (id, epoch, version) VALUES ($1, $2, 0)")
	switch {
	case foreign(err):
		m.lose()
		return false, cluster.ErrFenced
	case errors.Is(err, errUnknown):
		m.abandon(id)
	case err == nil && !made:
		time.AfterFunc(2*db.Timing.Idle, func() { m.abandon(id) })
	}
	return made, err
}

// claimAs makes the work id with its claims, in two round trips. The first one also orders it
// among overlapping claims. Its snapshot must be younger than that: READ COMMITTED gives each
// statement a new one.
func (db *DB) claimAs(ctx context.Context, m *membership, id string, scopes []folded, w cluster.Work) error {
	in := areaOf(scopes)
	var running string
	var holder error
	err := db.transact(ctx, m, change{
		whole:  true, // The id of the work says whether it was made; see claim.
		fenced: true,
		first: func(b *pgx.Batch) {
			running, holder = "", nil // It may be another attempt.
			keys, exclusive := latchKeys("claim ", scopes)
			b.Queue(latchQuery, keys, exclusive)
			db.queueRunning(b, w.Operation, &running)
			db.queueOverlapping(b, in, &holder)
		},
		rest: func(_ context.Context, tx *Tx) error {
			switch {
			case running != "":
				return &cluster.RunningError{ID: running}
			case holder != nil:
				return holder
			}
			return tx.queueWork(m, id, scopes, in, w)
		},
	})
	switch {
	case duplicate(err): // An identical operation has begun on another node since.
		return cluster.ErrClaimed
	case foreign(err):
		m.lose()
		return cluster.ErrFenced
	}
	return err
}

// overlappingQuery finds the works whose claims overlap an area. Without OFFSET, a plan could read all works.
const overlappingQuery = `SELECT work.epoch, work.adopted FROM (
		SELECT work FROM claims WHERE substr(name, 1, 500) = ANY(SELECT substr(n, 1, 500) FROM unnest($1::TEXT[]) AS n) AND name = ANY($1)
		UNION ALL SELECT work FROM claims WHERE scope = 2 AND substr(name, 1, 500) = ANY(SELECT substr(n, 1, 500) FROM unnest($2::TEXT[]) AS n) AND name = ANY($2)
		UNION ALL SELECT work FROM claims WHERE scope = 1 AND substr(name, 1, 500) = ANY(SELECT substr(n, 1, 500) FROM unnest($3::TEXT[]) AS n) AND name = ANY($3)
		UNION ALL SELECT work FROM unnest($4::TEXT[], $5::TEXT[]) AS t(a, b), claims
			WHERE substr(name, 1, 500) BETWEEN substr(a, 1, 500) AND substr(b, 1, 500) AND name >= a AND name < b
		UNION ALL SELECT work FROM claims WHERE substr(parent, 1, 500) = ANY(SELECT substr(n, 1, 500) FROM unnest($6::TEXT[]) AS n) AND parent = ANY($6)
	) AS found, LATERAL (SELECT epoch, adopted, hides FROM work WHERE work.id = found.work OFFSET 0) AS work`

// queueOverlapping adds the query for claims that overlap an area. The result tells whether their
// nodes live.
func (db *DB) queueOverlapping(b *pgx.Batch, in area, holder *error) {
	b.Queue(overlappingQuery, in.self, in.above, in.parents, in.from, in.to, in.members).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var epoch string
			var adopted bool
			if err := rows.Scan(&epoch, &adopted); err != nil {
				return err
			}
			if adopted || db.observer.silent(epoch, db.Timing.Silent) {
				*holder = cluster.ErrSilent
			} else if *holder == nil {
				*holder = cluster.ErrClaimed
			}
		}
		return rows.Err()
	})
}

// queueWork adds the work with its claims and its operation, and ends the keeping of results that
// the change will make untrue.
func (tx *Tx) queueWork(m *membership, id string, scopes []folded, in area, w cluster.Work) error {
	var operation *string
	if w.Operation != nil {
		operation = &w.Operation.Record.ID
	}
	var names, parents []string
	var reaches []int16
	for _, s := range scopes {
		names, parents, reaches = append(names, s.name), append(parents, parent(s.name)), append(reaches, int16(s.reach))
	}
	tx.Queue(`WITH made AS (INSERT INTO work (id, epoch, version, hides, record, operation) VALUES ($1, $2, 0, $3, $4, $5) RETURNING id)
		INSERT INTO claims (work, name, parent, scope) SELECT id, n, p, s FROM made, unnest($6::TEXT[], $7::TEXT[], $8::SMALLINT[]) AS t(n, p, s)`,
		id, m.epoch, tx.db.hides(w.Record), w.Record, operation, names, parents, reaches)
	tx.queueForget(in)
	return tx.queueOperation(m, names, w.Operation)
}

// hides reports whether the change of a record may hide a name.
func (db *DB) hides(record []byte) bool { return record != nil && db.Hides != nil && db.Hides(record) }

// outcome waits until another node has settled the work, and returns what came of it: a
// *cluster.TakenOverError, or nil if it was this node that has ended it. It doesn't wait forever:
// if the other node has died too, this one may be the only one that can take over from it, and
// joins again only when its claims have ended.
func (db *DB) outcome(ctx context.Context, m *membership, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*db.Timing.Idle)
	defer cancel()
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		var epoch, outcome string
		var exists bool
		err := db.read(ctx, func(rows pgx.Rows) error { return rows.Scan(&epoch, &outcome, &exists) }, `
			SELECT coalesce(max(epoch), ''), coalesce(max(outcome), ''), EXISTS (SELECT FROM work WHERE id = $1)
			FROM commits WHERE id = $1 AND outcome IS NOT NULL`, id)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case outcome != "" && epoch == m.epoch:
			return nil
		case outcome != "":
			return &cluster.TakenOverError{Outcome: cluster.Outcome(outcome)}
		case err != nil || !exists || pause(ctx, wait) != nil:
			return cluster.ErrFenced // It was settled more than an hour ago, or isn't yet.
		}
	}
}

// Placing implements [cluster.Node].
func (n *node) Placing(ctx context.Context, name string) (placing bool, err error) {
	in := areaOf([]folded{{name: foldName(name)}})
	err = n.db().read(ctx, func(pgx.Rows) error {
		placing = true
		return nil
	}, overlappingQuery+" WHERE work.hides LIMIT 1", in.self, in.above, in.parents, in.from, in.to, in.members)
	return placing, failed("looking for a change of "+name, err)
}

// foreign reports whether err says that a row of another table, such as that of the epoch, doesn't
// exist.
func foreign(err error) bool { return hasCode(err, "23503") }
