package sqlstate

import (
	"context"
	"database/sql"
)

// isBare reports whether the database holds no property.
func isBare(ctx context.Context, db queryer) (bare bool, err error) {
	err = db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM properties)").Scan(&bare)
	return bare, err
}

// propertyChange changes properties. If left is true, some properties are left. Otherwise
// it is unknown whether any are.
type propertyChange func(tx *sql.Tx) (left bool, err error)

// changeProperties is like changeBy, and updates db.bare.
func (db *DB) changeProperties(ctx context.Context, by changer, f propertyChange) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return db.changePropertiesInTurn(ctx, by, f)
}

func (db *DB) changePropertiesInTurn(ctx context.Context, change changer, f propertyChange) error {
	var bare bool
	err := change(ctx, func(tx *sql.Tx) error {
		left, err := f(tx)
		if err == nil && !left {
			bare, err = isBare(ctx, tx)
		}
		return err
	})
	db.bare.Store(bare && err == nil)
	return err
}
