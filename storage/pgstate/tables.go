package pgstate

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/tokens"
)

// properties are the dead properties of a DB.
type properties struct {
	*tables.Properties

	db *DB
}

// Remove implements [deadprops.Store]. If no property exists, it makes no transaction. It must not
// seem to have an effect either if this node may change nothing.
func (p properties) Remove(ctx context.Context, name string) error {
	if _, err := p.db.current(); err != nil {
		return failed("removing the properties of "+name, err)
	}
	return p.Properties.Remove(ctx, name)
}

// stores are the tables that other databases have too.
type stores struct {
	properties properties
	operations tables.Operations
	tokens     *tables.Tokens
	shares     tables.Shares
}

func newStores(db *DB) stores {
	d, dialect := (*database)(db), tables.PostgreSQL()
	return stores{properties{tables.NewProperties(d, dialect), db}, tables.NewOperations(d), tables.NewTokens(d, dialect), tables.NewShares(d)}
}

// Properties returns the dead properties.
func (db *DB) Properties() deadprops.Store { return db.stores.properties }

// History returns the results of operations.
func (db *DB) History() history.Store { return db.stores.operations }

// Tokens returns the application passwords.
func (db *DB) Tokens() tokens.Store { return db.stores.tokens }

// ShareIdentity returns the identity that the storage of a share had when it was last used
// (storage.Identity), or "" if that is unknown.
func (db *DB) ShareIdentity(ctx context.Context, id string) (string, error) {
	return db.stores.shares.ShareIdentity(ctx, id)
}

// SetShareIdentity notes the identity of the storage of a share. It works before this node has
// joined the others, because all of them see the same storage.
func (db *DB) SetShareIdentity(ctx context.Context, id, identity string) error {
	_, err := db.exec(ctx, tables.SetIdentity, tables.Text(id), tables.Text(identity))
	return failed("writing the identity of the share "+id, err)
}

// CheckWritable returns an error if no change can be stored now.
func (db *DB) CheckWritable(ctx context.Context) error {
	return failed("writing the state", db.change(ctx, change{}))
}

// database is a DB as a tables.Database.
type database DB

func (d *database) db() *DB { return (*DB)(d) }

// Base returns the database for the names of files.
func (db *DB) Base() tables.Base { return (*database)(db) }

// PostgreSQL returns true.
func (*database) PostgreSQL() bool { return true }

// Epoch implements tables.Base, like the methods below.
func (d *database) Epoch() string { return (*node)(d).Epoch() }

func (d *database) Provide(ctx context.Context, query string, args ...any) error {
	_, err := d.db().exec(ctx, query, args...)
	return err
}

func (d *database) InTransaction(ctx context.Context) bool {
	t, err := d.db().joined(ctx, false)
	return t != nil || err != nil
}

func (*database) Raced(err error) bool {
	return duplicate(err) || foreign(err) || hasCode(err, "40P01")
}

// Reader implements tables.Database, like the methods below.
func (d *database) Reader() tables.Queryer { return d }

func (d *database) Change(ctx context.Context, urgent bool, f func(tx tables.Tx) error) error {
	return d.db().change(ctx, change{patient: urgent, rest: func(_ context.Context, tx *Tx) error { return f(tx) }})
}

// ChangeProperties orders the change among others of the same resources. In davd, claims do that
// too. But without an order, two changes at the same moment could count the space of an owner
// wrongly.
func (d *database) ChangeProperties(ctx context.Context, c tables.PropertyChange) error {
	scopes := make([]folded, len(c.Names))
	for i, name := range c.Names {
		scopes[i] = folded{name: tables.Key(name), reach: withTree}.bounded()
	}
	d.db().ask(ctx, (*known).forgetProperties)
	return d.db().change(ctx, change{
		patient: c.Urgent,
		first: func(b *pgx.Batch) {
			keys, exclusive := latchKeys("property ", scopes)
			b.Queue(latchQuery, keys, exclusive)
		},
		rest: func(_ context.Context, tx *Tx) error {
			_, err := c.Make(tx)
			return err
		},
	})
}

// KnowsProperties implements tables.PropertyKnower.
func (d *database) KnowsProperties(ctx context.Context, name string) (found, is bool) {
	d.db().ask(ctx, func(k *known) {
		bare, ok := k.isBare(name)
		found, is = !bare, ok
	})
	return found, is
}

// Bare returns false: other nodes set properties too.
func (*database) Bare() bool { return false }

func (*database) Failed(doing string, err error) error { return failed(doing, err) }

// Query implements tables.Queryer. It is tried again if the connection was broken before the
// first row.
func (d *database) Query(ctx context.Context, query string, args ...any) (tables.Rows, error) {
	if t, err := d.db().joined(ctx, writes(query)); err != nil {
		return nil, err
	} else if t != nil {
		return t.query(ctx, query, args...)
	}
	for attempt := 1; ; attempt++ {
		rows, err := d.queryOnce(ctx, query, args...)
		if err == nil || !retryable(err) || ctx.Err() != nil || attempt >= attempts {
			return rows, d.db().counted(err)
		}
	}
}

func (d *database) queryOnce(ctx context.Context, query string, args ...any) (tables.Rows, error) {
	conn, err := d.db().acquire(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := d.db().query(ctx, conn, query, args...)
	if err != nil {
		conn.Release()
		return nil, err
	}
	release := rows.end
	rows.end = func() {
		release()
		conn.Release()
	}
	return rows, nil
}

// query begins a round trip, which ends when the rows are closed. It waits for the first row.
func (db *DB) query(ctx context.Context, conn *pgxpool.Conn, query string, args ...any) (*result, error) {
	ctx, cancel := context.WithTimeout(ctx, db.Timing.Statement)
	db.figures.trips.Add(1)
	if db.hook != nil {
		db.hook(ctx, query, false)
	}
	end := func() {
		cancel()
		if db.hook != nil {
			db.hook(ctx, query, true)
		}
	}
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		end()
		return nil, err
	}
	r := &result{Rows: rows, end: end}
	if r.waiting = rows.Next(); !r.waiting && rows.Err() != nil {
		return nil, r.Close()
	}
	return r, nil
}

// result implements tables.Rows.
type result struct {
	pgx.Rows

	waiting bool // Next has found the first row.
	end     func()
}

func (r *result) Next() bool {
	if r.waiting {
		r.waiting = false
		return true
	}
	return r.Rows.Next()
}

// Close may be called several times.
func (r *result) Close() error {
	r.Rows.Close()
	if r.end != nil {
		r.end()
		r.end = nil
	}
	return r.Err()
}
