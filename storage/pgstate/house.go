package pgstate

import (
	"context"
)

// keepHouse removes rows that are no longer needed, until ctx ends. Each node does it.
func (db *DB) keepHouse(ctx context.Context, m *membership) {
	for pause(ctx, db.Timing.Housekeeping) == nil {
		if db.usable(m) != nil {
			continue
		}
		if err := db.tidy(ctx); err != nil && ctx.Err() == nil {
			db.Log.Warn("old rows of the state can't be removed", "node", db.Name, "err", explained(err))
		}
	}
}

// tidy removes rows that are no longer needed.
func (db *DB) tidy(ctx context.Context) error {
	for _, statement := range []string{
		// A node that was paused for longer than an hour gets no outcome for its last change.
		"DELETE FROM commits WHERE made < clock_timestamp() - INTERVAL '1 hour'",
		// The clock may be set back a little without an expired lock coming back.
		"DELETE FROM locks WHERE expires < clock_timestamp() - INTERVAL '10 minutes'",
		"UPDATE operations SET kept = FALSE WHERE kept AND closed < clock_timestamp() - INTERVAL '" + keptFor + "'",
	} {
		if _, err := db.exec(ctx, statement); err != nil {
			return err
		}
	}
	return db.flushStrays()
}
