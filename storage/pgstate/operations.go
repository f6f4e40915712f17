package pgstate

import (
	"context"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/internal/tables"
)

// Results are kept for two minutes, and a Load makes an operation report for ten seconds. Both are
// by the clock of the database.
const (
	keptFor    = "2 minutes"
	watchedFor = "10 seconds"
)

// operations is a DB as a [cluster.Operations].
type operations DB

func (o *operations) db() *DB { return (*DB)(o) }

// statusQuery reads operations as scanStatus needs them.
const statusQuery = `SELECT id, principal, ended, record, failures, node, coalesce(operations.epoch, ''), stop AND ended IS NULL,
	coalesce(clock_timestamp() - reported, INTERVAL '0'),
	EXISTS (SELECT FROM nodes WHERE nodes.epoch = operations.epoch), EXISTS (SELECT FROM work WHERE work.operation = operations.id AND work.adopted)
	FROM operations `

// scanStatus reads a row of statusQuery.
func (db *DB) scanStatus(rows pgx.Rows) (s cluster.Status, err error) {
	var failures []byte
	var epoch string
	var member, adopted bool
	s.Record, err = tables.ScanOperation(rows.Scan, &failures, &s.Node, &epoch, &s.Stopping, &s.Age, &member, &adopted)
	if err == nil {
		s.Record.Failures, err = tables.DecodeFailures(failures)
	}
	s.Alive = adopted || member && !db.observer.silent(epoch, db.Timing.Silent)
	return s, err
}

// one returns the operation that a clause finds.
func (o *operations) one(ctx context.Context, clause string, args ...any) (s cluster.Status, err error) {
	found := false
	err = o.db().read(ctx, func(rows pgx.Rows) (err error) {
		found = true
		s, err = o.db().scanStatus(rows)
		return err
	}, clause, args...)
	if err == nil && !found {
		return s, fs.ErrNotExist
	}
	return s, failed("reading an operation", err)
}

// Load implements [cluster.Operations], like the methods below.
func (o *operations) Load(ctx context.Context, id string) (cluster.Status, error) {
	return o.one(ctx, `WITH watch AS (UPDATE operations SET watched = clock_timestamp() WHERE id = $1 AND ended IS NULL
		AND (watched IS NULL OR watched < clock_timestamp() - INTERVAL '1 second')) `+statusQuery+"WHERE id = $1", tables.Text(id))
}

func (o *operations) Running(ctx context.Context) (all []cluster.Status, err error) {
	err = o.db().read(ctx, func(rows pgx.Rows) error {
		s, err := o.db().scanStatus(rows)
		all = append(all, s)
		return err
	}, statusQuery+"WHERE ended IS NULL ORDER BY seq")
	return all, failed("listing operations", err)
}

func (o *operations) Find(ctx context.Context, key [32]byte) (cluster.Status, error) {
	return o.one(ctx, statusQuery+`WHERE key = $1 AND (ended IS NULL OR kept AND NOT (held AND epoch IN (SELECT epoch FROM nodes)) AND closed > clock_timestamp() - INTERVAL '`+keptFor+`')
		ORDER BY ended IS NULL DESC, seq DESC LIMIT 1`, key[:])
}

func (o *operations) Forget(ctx context.Context, id string) error {
	_, err := o.db().exec(ctx, "UPDATE operations SET kept = FALSE WHERE id = $1 AND kept", tables.Text(id))
	return failed("forgetting a result", err)
}

func (o *operations) Release(ctx context.Context, id string) error {
	_, err := o.db().exec(ctx, "UPDATE operations SET held = FALSE WHERE id = $1 AND held", tables.Text(id))
	return failed("releasing a result", err)
}

func (o *operations) Report(ctx context.Context, r history.Record) (stop, watched bool, err error) {
	db := o.db()
	m, err := db.current()
	if err != nil {
		return false, false, err
	}
	record, failures, err := tables.EncodeOperation(r)
	if err != nil {
		return false, false, err
	}
	err = db.readOnce(ctx, func(rows pgx.Rows) error { return rows.Scan(&stop, &watched) }, `
		INSERT INTO operations (id, principal, record, failures, epoch, node, reported)
			SELECT $1, $2, $3, $4, epoch, name, clock_timestamp() FROM nodes WHERE epoch = $5 FOR KEY SHARE
		ON CONFLICT (id) DO UPDATE SET record = excluded.record, failures = excluded.failures, reported = excluded.reported
			WHERE operations.ended IS NULL AND operations.epoch = excluded.epoch
		RETURNING stop, coalesce(watched > clock_timestamp() - INTERVAL '`+watchedFor+`', FALSE)`,
		tables.Text(r.ID), tables.Text(r.Principal), record, failures, m.epoch)
	return stop, watched, failed("reporting progress", err)
}

func (o *operations) Stop(ctx context.Context, id string) error {
	rows, err := o.db().exec(ctx, "UPDATE operations SET stop = TRUE, watched = clock_timestamp() WHERE id = $1", tables.Text(id))
	if err == nil && rows == 0 {
		return fs.ErrNotExist
	}
	return failed("stopping an operation", err)
}

// queueRunning adds a query for an identical operation that is running, or has ended since the
// request arrived.
func (db *DB) queueRunning(b *pgx.Batch, o *cluster.Operation, running *string) {
	if o == nil || o.Key == [32]byte{} {
		return
	}
	sent := time.Now()
	var age time.Duration
	if !o.Arrived.IsZero() {
		age = sent.Sub(o.Arrived) + db.Timing.Statement
	}
	// now() is the begin of the transaction.
	b.Queue(`SELECT id, ended IS NULL, coalesce(closed, now()), now() FROM operations
		WHERE key = $1 AND (ended IS NULL OR closed > now() - $2::INTERVAL) ORDER BY ended IS NULL DESC, closed DESC LIMIT 1`,
		o.Key[:], age).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id string
			var runs bool
			var closed, began time.Time
			if err := rows.Scan(&id, &runs, &closed, &began); err != nil {
				return err
			}
			if runs || !o.Arrived.IsZero() && db.server.at(o.Arrived, sent, began).Before(closed) {
				*running = tables.Untext(id)
			}
		}
		return rows.Err()
	})
}

// queueOperation adds the operation that a claim is for. names are those that it claims.
func (tx *Tx) queueOperation(m *membership, names []string, o *cluster.Operation) error {
	if o == nil {
		return nil
	}
	record, failures, err := tables.EncodeOperation(o.Record)
	if err != nil {
		return err
	}
	var key []byte
	if o.Key != [32]byte{} {
		key = o.Key[:]
	}
	tx.Queue(`INSERT INTO operations (id, principal, record, failures, key, epoch, node, names, reported)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET record = excluded.record, key = excluded.key, epoch = excluded.epoch,
			node = excluded.node, names = excluded.names, reported = excluded.reported`,
		tables.Text(o.Record.ID), tables.Text(o.Record.Principal), record, failures, key, m.epoch, tx.db.Name, names)
	return nil
}

// queueForget ends the keeping of results whose names overlap an area.
func (tx *Tx) queueForget(in area) {
	tx.Queue(`UPDATE operations SET kept = FALSE WHERE kept AND EXISTS (SELECT FROM unnest(names) AS n(name) WHERE name = ANY($1)
		OR EXISTS (SELECT FROM unnest($2::TEXT[], $3::TEXT[]) AS t(a, b) WHERE name COLLATE "C" >= a AND name COLLATE "C" < b)
		OR EXISTS (SELECT FROM unnest($4::TEXT[], $5::TEXT[]) AS t(a, b) WHERE name COLLATE "C" >= a AND name COLLATE "C" < b
			AND strpos(substr(name, length(a) + 1), '/') IN (0, length(name) - length(a))))`,
		in.selfUp, in.from, in.to, in.members, in.toMembers)
}

// saveResult adds the result of an operation.
func (tx *Tx) saveResult(result *cluster.Result) error {
	if result == nil {
		return nil
	}
	r := result.Record
	record, failures, err := tables.EncodeOperation(r)
	if err != nil {
		return err
	}
	tx.Queue(`INSERT INTO operations (id, principal, ended, record, failures, kept, held, closed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, record = excluded.record, failures = excluded.failures,
			kept = excluded.kept, held = excluded.held, closed = excluded.closed`,
		tables.Text(r.ID), tables.Text(r.Principal), r.Ended.UnixMicro(), record, failures, result.Keep, result.Held)
	return nil
}
