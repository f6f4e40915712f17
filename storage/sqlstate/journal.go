package sqlstate

import (
	"context"
	"database/sql"
)

// SaveRecord adds the record id to the journal of what is under way, or replaces
// the one that has that id.
func (db *DB) SaveRecord(ctx context.Context, id string, record []byte) error {
	err := db.changeJournal(ctx, nil, func(tx *sql.Tx) error {
		// seq stays, and with it the order.
		_, err := tx.ExecContext(ctx, `INSERT INTO journal (id, record) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET record = excluded.record`, text(id), record)
		return err
	})
	return failed("writing the journal", err)
}

// DeleteRecord removes the record id. If it can't, the next change of the journal
// does: what a record says is true only as long as nobody else changes the same.
func (db *DB) DeleteRecord(ctx context.Context, id string) error {
	return failed("writing the journal", db.changeJournal(ctx, []string{id}, func(*sql.Tx) error { return nil }))
}

// LoadRecords returns all records, in the order in which they were added.
func (db *DB) LoadRecords(ctx context.Context) ([][]byte, error) {
	records, err := loadRecords(ctx, db.reader)
	return records, failed("reading the journal", err)
}

func loadRecords(ctx context.Context, db queryer) (records [][]byte, err error) {
	rows, err := db.QueryContext(ctx, "SELECT record FROM journal ORDER BY seq")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var record []byte
		if err := rows.Scan(&record); err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, rows.Err()
}

// changeJournal removes the records over, and those that could not be removed
// before, and runs f, in one transaction.
func (db *DB) changeJournal(ctx context.Context, over []string, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	db.over = append(db.over, over...)
	err := transact(ctx, db.writer, func(tx *sql.Tx) error {
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
