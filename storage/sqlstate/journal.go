package sqlstate

import (
	"context"
	"database/sql"
	"slices"

	"github.com/davd/davd/storage/internal/tables"
)

// SaveRecord saves the record id in the journal of running operations, and replaces an
// older record with that id.
func (db *DB) SaveRecord(ctx context.Context, id string, record []byte) error {
	return db.saveRecord(ctx, db.transact, id, record)
}

// SaveUrgent implements journal.UrgentStore: it may use the reserved space.
func (db *DB) SaveUrgent(ctx context.Context, id string, record []byte) error {
	return db.saveRecord(ctx, db.urgently, id, record)
}

func (db *DB) saveRecord(ctx context.Context, change changer, id string, record []byte) error {
	err := db.changeJournal(ctx, change, "", func(tx *sql.Tx) error {
		// seq stays, and with it the order.
		_, err := tx.ExecContext(ctx, `INSERT INTO journal (id, record) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET record = excluded.record`, tables.Text(id), record)
		return err
	})
	return failed("writing the journal", err)
}

// DeleteRecord removes the record id. If that fails, the next change of the journal
// removes it: a record is only valid until another operation changes the same names.
func (db *DB) DeleteRecord(ctx context.Context, id string) error {
	err := db.changeJournal(ctx, db.urgently, id, func(*sql.Tx) error { return nil })
	return failed("writing the journal", err)
}

// LoadRecords returns all records, in the order they were first saved.
func (db *DB) LoadRecords(ctx context.Context) (records [][]byte, err error) {
	err = each(ctx, db.reader, func(rows tables.Rows) error {
		var record []byte
		err := rows.Scan(&record)
		records = append(records, record)
		return err
	}, "SELECT record FROM journal ORDER BY seq")
	return records, failed("reading the journal", err)
}

// changeJournal removes the record over and those that could not be removed before, and
// runs f, all in one transaction. over may be "".
func (db *DB) changeJournal(ctx context.Context, change changer, over string, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	if over != "" && !slices.Contains(db.over, over) { // The caller may be trying again.
		db.over = append(db.over, over)
	}
	err := change(ctx, func(tx *sql.Tx) error {
		if err := deleteAll(ctx, tx, "journal WHERE id", db.over); err != nil {
			return err
		}
		return f(tx)
	})
	if err == nil {
		db.over = nil
	}
	return err
}
