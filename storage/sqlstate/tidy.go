package sqlstate

import (
	"context"
	"os"
	"time"
)

const (
	// quiet is how long nothing may have been changed before the database is tidied.
	quiet = time.Second
	// pause is how long others may take the turn between two steps.
	pause = 10 * time.Millisecond
	// keptPages without content stay in the database, for what comes next.
	keptPages = 64
	// keptLog is how long the log may stay, in bytes.
	keptLog = 1 << 20
)

// tidy gives room back that the database, or its log, no longer needs, and makes the reserve
// whole. It does so in steps, so that a change waits for one of them at most, and
// gives up as soon as something is changed: the end of that change starts it anew.
func (db *DB) tidy() {
	select {
	case db.turn <- struct{}{}:
	default:
		return
	}
	defer func() { <-db.turn }()
	if !db.closed && db.lost() == nil && db.tidyStep(context.Background()) {
		db.tidier.Reset(pause)
	}
}

// tidyStep reports whether there is more to do.
func (db *DB) tidyStep(ctx context.Context) (more bool) {
	var spare int
	if err := db.writer.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&spare); err != nil {
		return false
	}
	if spare > keptPages {
		left, err := db.vacuum(ctx)
		// A database of an earlier davd that could not be compacted gives nothing back.
		if err == nil && left < spare {
			return true
		}
	}
	mode := "PASSIVE"
	if info, err := os.Stat(db.path + "-wal"); err == nil && info.Size() > keptLog {
		mode = "TRUNCATE"
	}
	db.checkpoint(ctx, mode)
	_ = db.reserve.grow(freeSpace(db.path)) // On a full disk it is tried again later.
	return false
}

// vacuum moves pages from the end of the database to free pages, and cuts it. It
// returns how many free pages are left.
func (db *DB) vacuum(ctx context.Context) (left int, err error) {
	rows, err := db.writer.QueryContext(ctx, "PRAGMA incremental_vacuum(512)")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() { // Each row is a page. At the end it is closed.
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	// The file gets shorter when the log is put into it.
	db.checkpoint(ctx, "PASSIVE")
	err = db.writer.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&left)
	return left, err
}
