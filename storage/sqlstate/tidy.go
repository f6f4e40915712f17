package sqlstate

import (
	"context"
	"os"
	"time"

	"github.com/davd/davd/storage/internal/tables"
)

const (
	// quiet is how long the database must be unchanged before it is tidied.
	quiet = time.Second
	// pause gives others time to take the turn between two steps.
	pause = 10 * time.Millisecond
	// keptPages is how many empty pages stay in the database for later use.
	keptPages = 64
	// keptLog is how many bytes the log may keep.
	keptLog = 1 << 20
)

// tidy frees space that the database or its log no longer needs, and refills the
// reserve. It works in steps, so that a change waits for one step at most. It gives up
// as soon as a change is made, and the end of that change schedules it again.
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

// tidyStep does one step and reports whether there is more to do.
func (db *DB) tidyStep(ctx context.Context) (more bool) {
	var spare int
	if err := db.writer.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&spare); err != nil {
		return false
	}
	if spare > keptPages {
		left, err := db.vacuum(ctx)
		// A database of an older davd that could not be compacted frees nothing.
		if err == nil && left < spare {
			return true
		}
	}
	mode := "PASSIVE"
	if info, err := os.Stat(db.path + "-wal"); err == nil && info.Size() > keptLog {
		mode = "TRUNCATE"
	}
	db.checkpoint(ctx, mode)
	_ = db.reserve.grow(freeSpace(db.path)) // If the disk is full, a later call tries again.
	return false
}

// vacuum moves pages from the end of the database to free pages and shortens it. It
// returns how many free pages are left.
func (db *DB) vacuum(ctx context.Context) (left int, err error) {
	aPage := func(tables.Rows) error { return nil }
	if err := each(ctx, db.writer, aPage, "PRAGMA incremental_vacuum(512)"); err != nil {
		return 0, err
	}
	// The checkpoint is what makes the file shorter.
	db.checkpoint(ctx, "PASSIVE")
	err = db.writer.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&left)
	return left, err
}
