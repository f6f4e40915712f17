package sqlstate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/internal/tables"
)

// operationRecord is the content of the column record for a history.Record, without the
// fields that have a column. text encodes the names, because JSON can't hold arbitrary
// bytes.
type operationRecord struct {
	history.Record
	// In microseconds since 1970, like all times in the database.
	Started int64 `json:"started"`
	Updated int64 `json:"updated"`
}

// recode replaces all names in r, except those of failures, by their encoding or their
// decoding.
func recode(r *history.Record, as func(string) string) {
	for _, name := range []*string{&r.ID, &r.Principal, &r.Method, &r.Source, &r.Destination, &r.Reason, &r.Current} {
		*name = as(*name)
	}
}

func encodeOperation(r history.Record) (record, failures []byte, err error) {
	list := slices.Clone(r.Failures)
	for i := range list {
		list[i].Name = tables.Text(list[i].Name)
	}
	if failures, err = json.Marshal(list); err != nil {
		return nil, nil, err
	}
	recode(&r, tables.Text)
	r.ID, r.Principal, r.Ended, r.Failures = "", "", time.Time{}, nil
	record, err = json.Marshal(operationRecord{Record: r, Started: r.Started.UnixMicro(), Updated: r.Updated.UnixMicro()})
	return record, failures, err
}

// scanOperation reads a row with the columns id, principal, ended, record and others. scan
// is its method Scan.
func scanOperation(scan func(columns ...any) error, others ...any) (history.Record, error) {
	var id, principal string
	var ended sql.NullInt64
	var record []byte
	if err := scan(append([]any{&id, &principal, &ended, &record}, others...)...); err != nil {
		return history.Record{}, err
	}
	var decoded operationRecord
	err := decodeColumn(record, &decoded)
	r := decoded.Record
	r.ID, r.Principal, r.Ended = id, principal, instant(ended)
	r.Started, r.Updated = time.UnixMicro(decoded.Started).UTC(), time.UnixMicro(decoded.Updated).UTC()
	recode(&r, tables.Untext)
	return r, err
}

func decodeColumn(column []byte, value any) error {
	if err := json.Unmarshal(column, value); err != nil {
		return fmt.Errorf("the record of an operation is damaged: %w", err)
	}
	return nil
}

// SaveOperations implements [history.Store].
func (db *DB) SaveOperations(ctx context.Context, records ...history.Record) error {
	if len(records) == 0 {
		return nil
	}
	err := db.change(ctx, func(tx *sql.Tx) error {
		for _, r := range records {
			record, failures, err := encodeOperation(r)
			if err != nil {
				return err
			}
			// seq stays, and with it the order.
			_, err = tx.ExecContext(ctx, `INSERT INTO operations (id, principal, ended, record, failures)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (id) DO UPDATE SET principal = excluded.principal, ended = excluded.ended,
					record = excluded.record, failures = excluded.failures`,
				tables.Text(r.ID), tables.Text(r.Principal), microseconds(r.Ended), record, failures)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return failed("saving operations", err)
}

// LoadOperation implements [history.Store].
func (db *DB) LoadOperation(ctx context.Context, id string) (history.Record, error) {
	var failures []byte
	row := db.reader.QueryRowContext(ctx, "SELECT id, principal, ended, record, failures FROM operations WHERE id = $1", tables.Text(id))
	r, err := scanOperation(row.Scan, &failures)
	if errors.Is(err, sql.ErrNoRows) {
		return history.Record{}, fs.ErrNotExist
	}
	if err == nil {
		err = decodeColumn(failures, &r.Failures)
	}
	for i := range r.Failures {
		r.Failures[i].Name = tables.Untext(r.Failures[i].Name)
	}
	return r, failed("reading an operation", err)
}

// ListOperations implements [history.Store].
func (db *DB) ListOperations(ctx context.Context, principal string) ([]history.Record, error) {
	return db.listOperations(ctx, "WHERE principal = $1", tables.Text(principal))
}

// AllOperations implements [history.Store].
func (db *DB) AllOperations(ctx context.Context) ([]history.Record, error) {
	return db.listOperations(ctx, "")
}

// listOperations returns the records that the clause where selects.
func (db *DB) listOperations(ctx context.Context, where string, args ...any) (list []history.Record, err error) {
	query := "SELECT id, principal, ended, record FROM operations " + where + " ORDER BY seq DESC"
	err = each(ctx, db.reader, func(rows *sql.Rows) error {
		r, err := scanOperation(rows.Scan)
		list = append(list, r)
		return err
	}, query, args...)
	return list, failed("listing operations", err)
}

// DeleteOperation implements [history.Store].
func (db *DB) DeleteOperation(ctx context.Context, id string) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM operations WHERE id = $1", tables.Text(id))
		return err
	})
	return failed("deleting an operation", err)
}

// TrimOperations implements [history.Store].
func (db *DB) TrimOperations(ctx context.Context, limits history.Limits) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM operations WHERE ended < $1", limits.Since.UnixMicro())
		if err == nil {
			_, err = tx.ExecContext(ctx, beyond("PARTITION BY principal ORDER BY seq DESC"), limits.PerPrincipal)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, beyond("ORDER BY seq DESC"), limits.Total)
		}
		return err
	})
	return failed("deleting old operations", err)
}

// beyond returns the statement that deletes the ended operations whose place in the
// window is greater than $1.
func beyond(window string) string {
	return `DELETE FROM operations WHERE seq IN (SELECT seq FROM (
		SELECT seq, ROW_NUMBER() OVER (` + window + `) AS place FROM operations WHERE ended IS NOT NULL
	) AS placed WHERE place > $1)`
}
