package tables

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/davd/davd/storage/history"
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

// EncodeOperation returns the columns record and failures.
func EncodeOperation(r history.Record) (record, failures []byte, err error) {
	list := slices.Clone(r.Failures)
	for i := range list {
		list[i].Name = Text(list[i].Name)
	}
	if failures, err = json.Marshal(list); err != nil {
		return nil, nil, err
	}
	recode(&r, Text)
	r.ID, r.Principal, r.Ended, r.Failures = "", "", time.Time{}, nil
	record, err = json.Marshal(operationRecord{Record: r, Started: r.Started.UnixMicro(), Updated: r.Updated.UnixMicro()})
	return record, failures, err
}

// ScanOperation reads a row with the columns id, principal, ended, record and others. scan
// is its method Scan.
func ScanOperation(scan func(columns ...any) error, others ...any) (history.Record, error) {
	var id, principal string
	var ended sql.NullInt64
	var record []byte
	if err := scan(append([]any{&id, &principal, &ended, &record}, others...)...); err != nil {
		return history.Record{}, err
	}
	var decoded operationRecord
	err := decodeColumn(record, &decoded)
	r := decoded.Record
	r.ID, r.Principal, r.Ended = id, principal, Instant(ended)
	r.Started, r.Updated = time.UnixMicro(decoded.Started).UTC(), time.UnixMicro(decoded.Updated).UTC()
	recode(&r, Untext)
	return r, err
}

// DecodeFailures decodes the column failures.
func DecodeFailures(column []byte) (list []history.Failure, err error) {
	err = decodeColumn(column, &list)
	for i := range list {
		list[i].Name = Untext(list[i].Name)
	}
	return list, err
}

func decodeColumn(column []byte, value any) error {
	if err := json.Unmarshal(column, value); err != nil {
		return fmt.Errorf("the record of an operation is damaged: %w", err)
	}
	return nil
}

// Operations are the results of operations.
type Operations struct{ db Database }

var _ history.Store = Operations{}

// NewOperations returns those of a database.
func NewOperations(db Database) Operations { return Operations{db} }

// SaveOperations implements [history.Store].
func (o Operations) SaveOperations(ctx context.Context, records ...history.Record) error {
	if len(records) == 0 {
		return nil
	}
	err := o.db.Change(ctx, false, func(tx Tx) error {
		for _, r := range records {
			record, failures, err := EncodeOperation(r)
			if err != nil {
				return err
			}
			// seq stays, and with it the order.
			_, err = tx.Exec(ctx, `INSERT INTO operations (id, principal, ended, record, failures)
				VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (id) DO UPDATE SET principal = excluded.principal, ended = excluded.ended,
					record = excluded.record, failures = excluded.failures`,
				Text(r.ID), Text(r.Principal), Microseconds(r.Ended), record, failures)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return o.db.Failed("saving operations", err)
}

// LoadOperation implements [history.Store].
func (o Operations) LoadOperation(ctx context.Context, id string) (history.Record, error) {
	var failures []byte
	var r history.Record
	found := false
	err := Each(ctx, o.db.Reader(), func(rows Rows) (err error) {
		found = true
		r, err = ScanOperation(rows.Scan, &failures)
		return err
	}, "SELECT id, principal, ended, record, failures FROM operations WHERE id = $1", Text(id))
	if err == nil && !found {
		return history.Record{}, fs.ErrNotExist
	}
	if err == nil {
		r.Failures, err = DecodeFailures(failures)
	}
	return r, o.db.Failed("reading an operation", err)
}

// ListOperations implements [history.Store].
func (o Operations) ListOperations(ctx context.Context, principal string) ([]history.Record, error) {
	return o.listOperations(ctx, "WHERE principal = $1", Text(principal))
}

// AllOperations implements [history.Store].
func (o Operations) AllOperations(ctx context.Context) ([]history.Record, error) {
	return o.listOperations(ctx, "")
}

// listOperations returns the records that the clause where selects.
func (o Operations) listOperations(ctx context.Context, where string, args ...any) (list []history.Record, err error) {
	query := "SELECT id, principal, ended, record FROM operations " + where + " ORDER BY seq DESC"
	err = Each(ctx, o.db.Reader(), func(rows Rows) error {
		r, err := ScanOperation(rows.Scan)
		list = append(list, r)
		return err
	}, query, args...)
	return list, o.db.Failed("listing operations", err)
}

// DeleteOperation implements [history.Store].
func (o Operations) DeleteOperation(ctx context.Context, id string) error {
	err := o.db.Change(ctx, false, func(tx Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM operations WHERE id = $1", Text(id))
		return err
	})
	return o.db.Failed("deleting an operation", err)
}

// TrimOperations implements [history.Store].
func (o Operations) TrimOperations(ctx context.Context, limits history.Limits) error {
	err := o.db.Change(ctx, false, func(tx Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM operations WHERE ended < $1", limits.Since.UnixMicro())
		if err == nil {
			_, err = tx.Exec(ctx, beyond("PARTITION BY principal ORDER BY seq DESC"), limits.PerPrincipal)
		}
		if err == nil {
			_, err = tx.Exec(ctx, beyond("ORDER BY seq DESC"), limits.Total)
		}
		return err
	})
	return o.db.Failed("deleting old operations", err)
}

// beyond returns the statement that deletes the ended operations whose place in the
// window is greater than $1.
func beyond(window string) string {
	return `DELETE FROM operations WHERE seq IN (SELECT seq FROM (
		SELECT seq, ROW_NUMBER() OVER (` + window + `) AS place FROM operations WHERE ended IS NOT NULL
	) AS placed WHERE place > $1)`
}
