package pgstate

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/lock"
)

// Locks returns the locks. They expire by the clock of the database, whatever time a caller passes.
//
// The limits of a principal and of a client hold for all nodes together. Requests at the same
// moment can exceed them. The owners of all locks together have no limit.
func (db *DB) Locks() lock.Manager { return (*locks)(db) }

// locks is a DB as a [lock.Manager].
type locks DB

func (l *locks) db() *DB { return (*DB)(l) }

// now is the SQL of the present time. $1 is NULL, except in tests.
const now = "coalesce($1::TIMESTAMPTZ, clock_timestamp())"

// clock returns the argument $1 for now.
func (l *locks) clock(now time.Time) *time.Time {
	if !l.callersTime {
		return nil
	}
	now = now.UTC().Truncate(time.Microsecond)
	return &now
}

const lockColumns = "token, root, zero_depth, shared, owner, principal, duration, created, expires"

// alive is the condition that a lock has not expired. $2 are the locks that Confirm holds.
const alive = "(expires IS NULL OR expires > " + now + " OR token = ANY($2))"

// scanLock reads lockColumns and more.
func scanLock(rows pgx.Rows, more ...any) (l lock.Lock, err error) {
	var owner []byte
	var expires *time.Time
	err = rows.Scan(append([]any{&l.Token, &l.Root, &l.ZeroDepth, &l.Shared, &owner, &l.Principal, &l.Duration, &l.Created, &expires}, more...)...)
	l.Token, l.Root, l.OwnerXML, l.Principal = tables.Untext(l.Token), tables.Unkey(l.Root), string(owner), tables.Untext(l.Principal)
	l.Created = l.Created.UTC()
	if expires != nil {
		l.Expires = expires.UTC()
	}
	return l, err
}

// coveringQuery finds the locks that cover the name $3, whose ancestors are $4. With a range from
// $5 to $6, it also finds those in the range, including expired ones if $7.
const coveringQuery = "SELECT " + lockColumns + ", " + alive + ", seq FROM (" +
	"SELECT * FROM locks WHERE substr(root, 1, 500) = substr($3::TEXT, 1, 500) AND root = $3" +
	" UNION ALL SELECT * FROM locks WHERE substr(root, 1, 500) = ANY(SELECT substr(n, 1, 500) FROM unnest($4::TEXT[]) AS n) AND root = ANY($4) AND NOT zero_depth" +
	" UNION ALL SELECT * FROM locks WHERE substr(root, 1, 500) BETWEEN substr($5::TEXT, 1, 500) AND substr($6::TEXT, 1, 500)" +
	" AND root >= $5 AND root < $6 AND root <> $3) AS found WHERE $7 OR " + alive

// covering returns the arguments of coveringQuery after $2.
func covering(name string, tree, expired bool) []any {
	key := tables.Key(name)
	from, to := key, key // an empty range
	if tree {
		from, to = tables.Tree(name)
	}
	return []any{key, ancestors(key), from, to, expired}
}

// found is a lock of coveringQuery.
type found struct {
	lock  lock.Lock
	alive bool
	seq   int64
}

func scanFound(rows pgx.Rows) (f found, err error) {
	f.lock, err = scanLock(rows, &f.alive, &f.seq)
	return f, err
}

// sorted sorts locks by root and then by creation.
func sorted(list []found) []found {
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(strings.Compare(a.lock.Root, b.lock.Root), cmp.Compare(a.seq, b.seq))
	})
	return list
}

// Find implements [lock.Manager], like the methods below.
func (l *locks) Find(ctx context.Context, now time.Time, name string, tree bool) (all []lock.Lock, err error) {
	is := false
	l.db().ask(ctx, func(k *known) {
		var list []found
		if list, is = k.find(name, tree); is {
			all = locksOf(sorted(list))
		}
	})
	if is {
		return all, nil
	}
	args := append([]any{l.clock(now), l.holds.list()}, covering(name, tree, false)...)
	var list []found
	err = l.db().read(ctx, func(rows pgx.Rows) error {
		f, err := scanFound(rows)
		list = append(list, f)
		return err
	}, coveringQuery, args...)
	return locksOf(sorted(list)), failed("reading the locks of "+name, err)
}

func locksOf(list []found) (all []lock.Lock) {
	for _, f := range list {
		all = append(all, f.lock)
	}
	return all
}

func (l *locks) Acquire(ctx context.Context, now time.Time, wanted lock.Lock) (lock.Lock, error) {
	return l.acquire(ctx, now, wanted, false)
}

// acquire grants wanted. If brief is true, it ends with this node.
func (l *locks) acquire(ctx context.Context, at time.Time, wanted lock.Lock, brief bool) (lock.Lock, error) {
	m, err := l.db().current()
	if err != nil {
		return lock.Lock{}, err
	}
	l.changed(ctx)
	a := acquisition{locks: l, wanted: wanted, now: l.clock(at)}
	if brief {
		a.epoch = &m.epoch
	}
	a.wanted.Token = uuid.New().URN()
	if wanted.Duration < 0 {
		a.wanted.Duration = lock.Infinite
	}
	err = l.db().transact(ctx, m, change{first: a.look, rest: a.grant})
	if err != nil {
		return lock.Lock{}, failed("locking "+wanted.Root, err)
	}
	return a.wanted, nil
}

// acquisition is a call of Acquire.
type acquisition struct {
	*locks

	wanted lock.Lock
	now    *time.Time
	epoch  *string // that of a lock that ends with this node
	inWay  []found
	usage  lockUsage
}

// look orders the request among others for overlapping locks, and reads what is in the way.
func (a *acquisition) look(b *pgx.Batch) {
	a.inWay, a.usage = nil, lockUsage{} // It may be another attempt.
	scope := folded{name: tables.Key(a.wanted.Root)}
	if !a.wanted.ZeroDepth {
		scope.reach = withTree
	}
	keys, exclusive := latchKeys("lock ", []folded{scope.bounded()})
	b.Queue(latchQuery, keys, exclusive)
	args := append([]any{a.now, a.holds.list()}, covering(a.wanted.Root, !a.wanted.ZeroDepth, true)...)
	b.Queue(coveringQuery, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			f, err := scanFound(rows)
			if err != nil {
				return err
			}
			a.inWay = append(a.inWay, f)
		}
		a.inWay = sorted(a.inWay)
		return rows.Err()
	})
	a.usage.queue(b, a)
}

// grant adds the lock, unless something is in the way. It removes expired locks there, so that they
// don't come back when the clock is set back.
func (a *acquisition) grant(_ context.Context, tx *Tx) error {
	var conflicts []found
	var expired []string
	for _, f := range a.inWay {
		switch {
		case !f.alive:
			expired = append(expired, tables.Text(f.lock.Token))
		case !f.lock.Shared || !a.wanted.Shared:
			conflicts = append(conflicts, f)
		}
	}
	if len(conflicts) > 0 {
		return &lock.ConflictError{Locks: locksOf(conflicts)}
	}
	if err := a.usage.admit(a); err != nil {
		return err
	}
	if len(expired) > 0 {
		tx.Queue("DELETE FROM locks WHERE token = ANY($1)", expired)
	}
	w := &a.wanted
	tx.Queue("INSERT INTO locks ("+lockColumns+", client, epoch) SELECT $2, $3, $4, $5, $6, $7, $8, t, "+expiry("$8", "t")+
		", $9, $10 FROM (SELECT "+now+" AS t) AS clock RETURNING created, expires",
		a.now, tables.Text(w.Token), tables.Key(w.Root), w.ZeroDepth, w.Shared, []byte(w.OwnerXML), tables.Text(w.Principal), int64(w.Duration),
		clientHash(w.Client), a.epoch).QueryRow(func(row pgx.Row) error { return scanTimes(row, w) })
	return nil
}

// expiry is the SQL of the end of a lock with a duration, in nanoseconds, that begins at a time.
func expiry(duration, from string) string {
	return "CASE WHEN " + duration + "::BIGINT >= 0 THEN " + from + " + " + duration + "::BIGINT / 1000 * INTERVAL '1 microsecond' END"
}

func scanTimes(row pgx.Row, l *lock.Lock) error {
	var expires *time.Time
	if err := row.Scan(&l.Created, &expires); err != nil {
		return err
	}
	l.Created, l.Expires = l.Created.UTC(), time.Time{}
	if expires != nil {
		l.Expires = expires.UTC()
	}
	return nil
}

// clientHash returns what a lock keeps of its client.
func clientHash(client string) *int64 {
	if client == "" {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(client)) // It can't fail.
	hash := int64(h.Sum64())       //nolint:gosec // any bits will do
	return &hash
}

func (l *locks) Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (lock.Lock, error) {
	return l.renew(ctx, now, token, duration)
}

func (l *locks) renew(ctx context.Context, at time.Time, token string, duration time.Duration) (renewed lock.Lock, err error) {
	if duration < 0 {
		duration = lock.Infinite
	}
	l.changed(ctx)
	found := false
	err = l.db().change(ctx, change{rest: func(_ context.Context, tx *Tx) error {
		found = false
		tx.Queue("UPDATE locks SET duration = $4, epoch = NULL, expires = "+expiry("$4", now)+
			" WHERE token = $3 AND "+alive+" RETURNING "+lockColumns,
			l.clock(at), l.holds.list(), tables.Text(token), int64(duration)).Query(func(rows pgx.Rows) (err error) {
			for rows.Next() {
				found = true
				if renewed, err = scanLock(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
		return nil
	}})
	if err == nil && !found {
		return lock.Lock{}, webdav.ErrNoSuchLock
	}
	return renewed, failed("renewing a lock", err)
}

// changed makes the transaction of ctx forget what it knows about locks.
func (l *locks) changed(ctx context.Context) {
	l.db().ask(ctx, (*known).forgetLocks)
}

func (l *locks) Release(ctx context.Context, at time.Time, token string) error {
	l.changed(ctx)
	var rows int64
	err := l.db().change(ctx, change{rest: func(_ context.Context, tx *Tx) error {
		// The row of an expired lock goes as well.
		tx.Queue("WITH gone AS (DELETE FROM locks WHERE token = $3 RETURNING *) SELECT count(*) FROM gone WHERE "+alive,
			l.clock(at), l.holds.list(), tables.Text(token)).QueryRow(func(row pgx.Row) error { return row.Scan(&rows) })
		return nil
	}})
	if err == nil && rows == 0 {
		return webdav.ErrNoSuchLock
	}
	return failed("releasing a lock", err)
}

// ReleaseTree asks first whether any lock exists, because usually none does.
func (l *locks) ReleaseTree(ctx context.Context, _ time.Time, name string) error {
	from, to := tables.Tree(name)
	const where = "FROM locks WHERE substr(root, 1, 500) BETWEEN substr($1::TEXT, 1, 500) AND substr($2::TEXT, 1, 500) AND root >= $1 AND root < $2"
	if _, err := l.db().current(); err != nil {
		return failed("releasing the locks of "+name, err)
	}
	unlocked := false
	l.db().ask(ctx, func(k *known) { unlocked = k.unlocked(name) })
	if unlocked {
		return nil
	}
	l.changed(ctx)
	exists := false
	err := l.db().read(ctx, func(rows pgx.Rows) error { return rows.Scan(&exists) }, "SELECT EXISTS (SELECT "+where+")", from, to)
	if err == nil && exists {
		err = l.db().change(ctx, change{rest: func(_ context.Context, tx *Tx) error {
			tx.Queue("DELETE "+where, from, to)
			return nil
		}})
	}
	return failed("releasing the locks of "+name, err)
}
