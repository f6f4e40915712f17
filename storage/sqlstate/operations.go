package sqlstate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/davd/davd/storage/history"
)

// operationRecord is the content of the column record for a history.Record. text
// encodes the names, because JSON can't hold arbitrary bytes.
type operationRecord struct {
	Method        string        `json:"method"`
	Source        string        `json:"source"`
	Destination   string        `json:"destination,omitempty"`
	Depth         int           `json:"depth"`
	Overwrite     bool          `json:"overwrite,omitempty"`
	State         history.State `json:"state"`
	Started       int64         `json:"started"` // in microseconds since 1970, like all times
	Updated       int64         `json:"updated"`
	Status        int           `json:"status,omitempty"`
	Reason        string        `json:"reason,omitempty"`
	Recovery      string        `json:"recovery,omitempty"`
	Done          int64         `json:"done"`
	Known         int64         `json:"known"`
	Bytes         int64         `json:"bytes"`
	KnownBytes    int64         `json:"known_bytes"`
	Current       string        `json:"current,omitempty"`
	FailuresTotal int64         `json:"failures_total,omitempty"`
}

// operationFailure is the content of the column failures for a history.Failure.
type operationFailure struct {
	Name   string `json:"name"`
	Status int    `json:"status"`
}

func encodeOperation(r history.Record) (record, failures []byte, err error) {
	record, err = json.Marshal(operationRecord{
		Method: text(r.Method), Source: text(r.Source), Destination: text(r.Destination), Depth: r.Depth, Overwrite: r.Overwrite,
		State: r.State, Started: r.Started.UnixMicro(), Updated: r.Updated.UnixMicro(),
		Status: r.Status, Reason: text(r.Reason), Recovery: r.Recovery,
		Done: r.Done, Known: r.Known, Bytes: r.Bytes, KnownBytes: r.KnownBytes, Current: text(r.Current),
		FailuresTotal: r.FailuresTotal,
	})
	if err != nil {
		return nil, nil, err
	}
	list := make([]operationFailure, len(r.Failures))
	for i, failure := range r.Failures {
		list[i] = operationFailure{text(failure.Name), failure.Status}
	}
	failures, err = json.Marshal(list)
	return record, failures, err
}

func decodeOperation(id, principal string, ended sql.NullInt64, record []byte) (history.Record, error) {
	var r operationRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return history.Record{}, fmt.Errorf("the record of an operation is damaged: %w", err)
	}
	decoded := history.Record{
		ID: untext(id), Principal: untext(principal),
		Method: untext(r.Method), Source: untext(r.Source), Destination: untext(r.Destination), Depth: r.Depth, Overwrite: r.Overwrite,
		State: r.State, Started: time.UnixMicro(r.Started).UTC(), Updated: time.UnixMicro(r.Updated).UTC(),
		Status: r.Status, Reason: untext(r.Reason), Recovery: r.Recovery,
		Done: r.Done, Known: r.Known, Bytes: r.Bytes, KnownBytes: r.KnownBytes, Current: untext(r.Current),
		FailuresTotal: r.FailuresTotal,
	}
	if ended.Valid {
		decoded.Ended = time.UnixMicro(ended.Int64).UTC()
	}
	return decoded, nil
}

func decodeFailures(column []byte) ([]history.Failure, error) {
	var list []operationFailure
	if err := json.Unmarshal(column, &list); err != nil {
		return nil, fmt.Errorf("the record of an operation is damaged: %w", err)
	}
	var failures []history.Failure
	for _, failure := range list {
		failures = append(failures, history.Failure{Name: untext(failure.Name), Status: failure.Status})
	}
	return failures, nil
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
			ended := sql.NullInt64{Int64: r.Ended.UnixMicro(), Valid: !r.Ended.IsZero()}
			// seq stays, and with it the order.
			_, err = tx.ExecContext(ctx, `INSERT INTO operations (id, principal, ended, record, failures)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (id) DO UPDATE SET principal = excluded.principal, ended = excluded.ended,
					record = excluded.record, failures = excluded.failures`,
				text(r.ID), text(r.Principal), ended, record, failures)
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
	var principal string
	var ended sql.NullInt64
	var record, failures []byte
	err := db.reader.QueryRowContext(ctx, "SELECT principal, ended, record, failures FROM operations WHERE id = $1", text(id)).
		Scan(&principal, &ended, &record, &failures)
	if errors.Is(err, sql.ErrNoRows) {
		return history.Record{}, fs.ErrNotExist
	}
	if err != nil {
		return history.Record{}, failed("reading an operation", err)
	}
	r, err := decodeOperation(text(id), principal, ended, record)
	if err == nil {
		r.Failures, err = decodeFailures(failures)
	}
	return r, failed("reading an operation", err)
}

// ListOperations implements [history.Store].
func (db *DB) ListOperations(ctx context.Context, principal string) ([]history.Record, error) {
	return db.listOperations(ctx, "WHERE principal = $1", text(principal))
}

// AllOperations implements [history.Store].
func (db *DB) AllOperations(ctx context.Context) ([]history.Record, error) {
	return db.listOperations(ctx, "")
}

// listOperations returns the records that the clause where selects.
func (db *DB) listOperations(ctx context.Context, where string, args ...any) (list []history.Record, err error) {
	defer func() { err = failed("listing operations", err) }()
	query := "SELECT id, principal, ended, record FROM operations " + where + " ORDER BY seq DESC" //nolint:gosec // where is one of two constants
	rows, err := db.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, principal string
		var ended sql.NullInt64
		var record []byte
		if err := rows.Scan(&id, &principal, &ended, &record); err != nil {
			return nil, err
		}
		r, err := decodeOperation(id, principal, ended, record)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// DeleteOperation implements [history.Store].
func (db *DB) DeleteOperation(ctx context.Context, id string) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM operations WHERE id = $1", text(id))
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
