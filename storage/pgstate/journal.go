package pgstate

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/journal"
)

// Journal returns the records of works. The ID of a record is that of a claim.
func (db *DB) Journal() journal.Store { return (*records)(db) }

// records is a DB as a [journal.Store].
type records DB

func (r *records) db() *DB { return (*DB)(r) }

// SaveRecord implements [journal.Store], like the methods below. It returns cluster.ErrFenced if
// the work is not, or no more, one of this node.
func (r *records) SaveRecord(ctx context.Context, id string, record []byte) error {
	saved, err := r.db().setRecord(ctx, id, record)
	if err == nil && !saved {
		err = cluster.ErrFenced
	}
	return failed("writing the journal", err)
}

// DeleteRecord leaves the work, which its claim ends.
func (r *records) DeleteRecord(ctx context.Context, id string) error {
	_, err := r.db().setRecord(ctx, id, nil)
	return failed("writing the journal", err)
}

// LoadRecords returns the records of works that this node has adopted.
func (r *records) LoadRecords(ctx context.Context) (all [][]byte, err error) {
	m, err := r.db().current()
	if err != nil {
		return nil, err
	}
	err = r.db().read(ctx, func(rows pgx.Rows) error {
		var record []byte
		err := rows.Scan(&record)
		all = append(all, record)
		return err
	}, "SELECT record FROM work WHERE epoch = $1 AND adopted AND record IS NOT NULL ORDER BY seq", m.epoch)
	return all, failed("reading the journal", err)
}

// setRecord replaces the record of a work. If the answer of the database is lost, the statement is
// sent again, and the first one may take effect after later ones: its version is too old then.
func (db *DB) setRecord(ctx context.Context, id string, record []byte) (saved bool, err error) {
	m, err := db.current()
	if err != nil {
		return false, err
	}
	ctx, stop := m.during(ctx)
	defer stop()
	version := db.versions.Add(1)
	err = db.patiently(ctx, m, func() error {
		return db.readOnce(ctx, func(rows pgx.Rows) error { return rows.Scan(&saved) }, `
			WITH changed AS (UPDATE work SET record = $3, hides = $4, version = $5
				WHERE id = $1 AND epoch = $2 AND version < $5 RETURNING TRUE)
			SELECT EXISTS (SELECT FROM changed) OR EXISTS (SELECT FROM work WHERE id = $1 AND epoch = $2 AND version >= $5)`,
			id, m.epoch, record, db.hides(record), version)
	})
	return saved, err
}
