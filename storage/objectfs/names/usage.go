package names

import (
	"context"
	"strconv"
	"strings"
	"syscall"

	"github.com/davd/davd/storage/internal/tables"
)

// slots is how many rows the usage of a volume has.
const slots = 64

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
