package tables

import (
	"cmp"
	"context"
	"database/sql"
)

// Database is the database of a state.
type Database interface {
	// Reader reads what was committed last.
	Reader() Queryer
	// Change runs f in a transaction, and commits that if f succeeds. It may call f again if
	// the database has undone the transaction. urgent says that the change must not fail for
	// lack of space.
	Change(ctx context.Context, urgent bool, f func(tx Tx) error) error
	// ChangeProperties is Change for the table of properties.
	ChangeProperties(ctx context.Context, c PropertyChange) error
	// Bare reports that no resource has a property, as far as that is known without asking the
	// database. It may be false in any case.
	Bare() bool
	// Failed adds to err, which may be nil, what could not be done.
	Failed(doing string, err error) error
}

// Base is a Database for the names of files. Its epoch is the time in which this process may change
// it: between joining the others and leaving them, or for one process, while the database is open.
type Base interface {
	Database
	// PostgreSQL reports whether it is PostgreSQL, where several transactions run at a time, so that
	// rows must be locked. Otherwise it is SQLite, where a change excludes all others.
	PostgreSQL() bool
	// Epoch returns the name of the epoch; "" outside of one. The table nodes has it until it is
	// over. It has at most 32 letters and digits.
	Epoch() string
	// Provide runs a statement that may be repeated. It works outside of an epoch too.
	Provide(ctx context.Context, query string, args ...any) error
	// InTransaction reports whether ctx has a transaction of the database, to which Change and
	// queries with it belong.
	InTransaction(ctx context.Context) bool
	// Raced reports whether err says that another transaction was faster: a row with the same key
	// exists, a row that the new one refers to has just gone, or the two have waited for each other.
	// It has ended the transaction.
	Raced(err error) bool
}

// PropertyKnower is a Database whose transactions may know which resources have properties.
type PropertyKnower interface {
	// KnowsProperties reports whether name or anything below it has properties. known is false if
	// the database must be asked.
	KnowsProperties(ctx context.Context, name string) (found, known bool)
}

// PropertyChange is a change of properties.
type PropertyChange struct {
	// Names are the resources that are changed with everything below them.
	Names []string
	// Urgent is as for Database.Change.
	Urgent bool
	// Make makes the change. If left is true, some properties are left afterwards. Otherwise it
	// is unknown whether any are.
	Make func(tx Tx) (left bool, err error)
}

// Queryer reads from a database.
type Queryer interface {
	Query(ctx context.Context, query string, args ...any) (Rows, error)
}

// Tx is a transaction.
type Tx interface {
	Queryer
	// Exec runs a statement and returns how many rows it has changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
}

// Later runs a statement in a transaction. The caller needs no result of it, and does not learn of its
// errors: they make a later statement of the transaction fail, or its commit. A database on
// another machine gets it together with a later statement.
func Later(ctx context.Context, tx Tx, query string, args ...any) error {
	if l, ok := tx.(interface {
		Later(query string, args ...any)
	}); ok {
		l.Later(query, args...)
		return nil
	}
	_, err := tx.Exec(ctx, query, args...)
	return err
}

// Rows is the result of a query, like a *sql.Rows.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Each calls row for each row that a query finds, until row fails.
func Each(ctx context.Context, db Queryer, row func(Rows) error, query string, args ...any) error {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one reads the columns of the only row that a query finds. The error is sql.ErrNoRows if it finds
// none.
func one(ctx context.Context, db Queryer, columns []any, query string, args ...any) error {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(columns...); err != nil {
		return err
	}
	return rows.Close() // It reads the rest, and returns its error.
}

// SQL makes a Tx of a *sql.Tx, and a Queryer of a *sql.DB.
type SQL struct{ Standard }

// Standard is a *sql.DB, a *sql.Conn or a *sql.Tx.
type Standard interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Query implements [Queryer].
func (s SQL) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	rows, err := s.QueryContext(ctx, query, args...) //nolint:rowserrcheck // the caller asks
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Exec implements [Tx].
func (s SQL) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := s.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
