package names

import (
	"context"
	"strconv"
	"strings"
	"syscall"

	"github.com/davd/davd/storage/internal/tables"
)

// slots is how many rows the usage of a volume has. Recount has another one.
const slots = 64

// recountSlot is the row of the usage with what Recount has added.
const recountSlot = -1

// slotRows returns rows for all slots of the volume $1.
func slotRows() string {
	rows := make([]string, slots)
	for i := range rows {
		rows[i] = "($1, " + strconv.Itoa(i) + ", 0)"
	}
	return strings.Join(rows, ", ")
}

// Usage implements [Store].
func (s *Space) Usage(ctx context.Context) (bytes int64, err error) {
	bytes, err = s.used(ctx, s.db.Reader())
	return bytes, s.failed("usage", "/", err)
}

func (s *Space) used(ctx context.Context, db tables.Queryer) (bytes int64, err error) {
	err = tables.Each(ctx, db, func(rows tables.Rows) error { return rows.Scan(&bytes) },
		"SELECT CAST(sum(bytes) AS BIGINT) FROM volume_use WHERE volume = $1", s.id)
	return bytes, err
}

// SetLimit implements [Store].
func (s *Space) SetLimit(limit int64) { s.limit.Store(limit) }

// allow returns an error if grows more bytes than are used would exceed the quota.
func (s *Space) allow(used, grows int64) error {
	if limit := s.limit.Load(); limit > 0 && grows > 0 && used+grows > limit {
		return refuse(syscall.EDQUOT)
	}
	return nil
}

// use adds to the bytes that are used. Changes of this process at the same time use different slots.
func (s *Space) use(ctx context.Context, tx tables.Tx, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	return tables.Later(ctx, tx, "UPDATE volume_use SET bytes = bytes + $3 WHERE volume = $1 AND slot = $2", s.id, s.slot.Add(1)%slots, bytes)
}

// Recount adds up the sizes of all files, and makes Usage say the same from now on. It returns what
// Usage has said before, and how many files there are. Files may be changed meanwhile.
func (s *Space) Recount(ctx context.Context) (before, now, files int64, err error) {
	err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) error {
		// The row is only there for this, so its lock lets one recount run at a time and nothing else wait.
		_, err := tx.Exec(ctx, "INSERT INTO volume_use (volume, slot, bytes) VALUES ($1, $2, 0) ON CONFLICT (volume, slot) DO UPDATE SET bytes = volume_use.bytes", s.id, recountSlot)
		if err != nil {
			return err
		}
		if before, now, files, err = s.counted(ctx, tx); err != nil || before == now {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE volume_use SET bytes = bytes + $3 WHERE volume = $1 AND slot = $2", s.id, recountSlot, now-before)
		return err
	})
	return before, now, files, s.failed("recount", "/", err)
}

// counted returns the usage, the sum of the sizes of all files, and their number. One statement sees
// one state, in which each change has both its file and its usage, or neither.
func (s *Space) counted(ctx context.Context, db tables.Queryer) (usage, sum, files int64, err error) {
	err = tables.Each(ctx, db, func(rows tables.Rows) error { return rows.Scan(&usage, &sum, &files) },
		"SELECT (SELECT CAST(sum(bytes) AS BIGINT) FROM volume_use WHERE volume = $1), CAST(coalesce(sum(e.size), 0) AS BIGINT), count(*)"+
			" FROM entries e JOIN objects o ON o.key = e.blob WHERE o.volume = $1", s.id)
	return usage, sum, files, err
}
