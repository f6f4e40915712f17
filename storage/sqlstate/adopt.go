package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/davd/davd/storage/internal/tables"
)

// Adoption says that a new database takes over the locks and dead properties of another one,
// which was for a single directory. It does not take over the history.
type Adoption struct {
	// From is the path of the other database. If it doesn't exist, nothing happens.
	// Otherwise it is renamed afterwards, with AdoptedSuffix.
	From string
	// Root is put in front of all names, such as "/.davd-share-photos".
	Root string
}

// AdoptedSuffix is added to the name of a database that another one has taken over.
const AdoptedSuffix = ".adopted"

// ErrUnfinished is the reason why a database can't be taken over: its journal has
// operations that a killed davd has left.
var ErrUnfinished = errors.New("operations were interrupted there: they must be recovered first")

// adopt takes over another database. Doing that again, after a kill, changes nothing. What db
// has already stays.
func (db *DB) adopt(ctx context.Context, a Adoption, log *slog.Logger) error {
	if _, err := os.Stat(a.From); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	other, err := Options{Log: log}.Open(ctx, a.From)
	if err != nil {
		return err
	}
	err = db.changePropertiesInTurn(ctx, db.transact, func(tx *sql.Tx) (left bool, err error) {
		return a.copy(ctx, other.reader, tx)
	})
	if err = errors.Join(err, other.Close()); err != nil {
		return fmt.Errorf("can't take over %s: %w", a.From, err)
	}
	return os.Rename(a.From, a.From+AdoptedSuffix)
}

// copy copies everything in one transaction. left reports whether there were properties.
func (a Adoption) copy(ctx context.Context, from queryer, tx *sql.Tx) (left bool, err error) {
	var unfinished int
	err = from.QueryRowContext(ctx, "SELECT count(*) FROM journal").Scan(&unfinished)
	switch {
	case err != nil:
		return false, err
	case unfinished > 0:
		return false, ErrUnfinished
	}
	err = a.copyTable(ctx, from, tx, "locks", "token", "root", "zero_depth", "shared", "owner", "principal", "duration", "expires", "created")
	if err != nil {
		return false, err
	}
	if err := a.copyTable(ctx, from, tx, "properties", "name", "space", "local", "lang", "value", "owner"); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM property_use")
	if err == nil {
		_, err = tx.ExecContext(ctx, countUse)
	}
	return false, err
}

// copyTable copies the columns of a table. Those that hold a name get a.Root.
func (a Adoption) copyTable(ctx context.Context, from queryer, tx *sql.Tx, table string, columns ...string) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(columns)-1)+") ON CONFLICT DO NOTHING") //nolint:gosec,sqlclosecheck // constants; it is closed
	if err != nil {
		return err
	}
	defer insert.Close()
	order := ""
	if table == "locks" {
		order = " ORDER BY seq"
	}
	return each(ctx, from, func(rows tables.Rows) error {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		for i, column := range columns {
			switch name, _ := row[i].(string); column {
			case "name":
				row[i] = tables.Text(a.Root) + name // ends in a slash
			case "root":
				row[i] = strings.TrimSuffix(tables.Text(a.Root)+name, "/")
			case "owner", "value":
				if blob, ok := row[i].([]byte); ok && blob == nil {
					row[i] = []byte{} // nil would be NULL
				}
			}
		}
		_, err := insert.ExecContext(ctx, row...)
		return err
	}, "SELECT "+strings.Join(columns, ", ")+" FROM "+table+order)
}
