package names

import (
	"context"
	"time"

	"github.com/davd/davd/storage/internal/tables"
)

// SetTimes implements [Store].
func (s *Space) SetTimes(ctx context.Context, name string, modified, created time.Time) error {
	p, err := parse(name)
	if err == nil {
		err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) error {
			n, err := s.hold(ctx, tx, p)
			if err != nil {
				return err
			}
			if created.IsZero() {
				created = n.Created
			}
			return tables.Later(ctx, tx, "UPDATE entries SET modified = $2, created = $3, changed = $4 WHERE id = $1",
				n.ID, nanoseconds(modified), nanoseconds(created), nanoseconds(time.Now()))
		})
	}
	return s.failed("chtimes", name, err)
}
