package names_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
)

// TestRecount makes the usage wrong, and recounts it while files are put and removed. Afterwards it is
// the sum of their sizes.
func TestRecount(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db state) {
		s := space(t, db)
		other, err := names.Open(t.Context(), names.Options{Database: db, Identity: "other"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			object(t, s, fmt.Sprintf("/%d", i), 100)
		}
		object(t, other, "/f", 7)
		err = db.Base().Change(t.Context(), false, func(tx tables.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE volume_use SET bytes = bytes + 11 WHERE slot = 1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if before, now, files, err := s.Recount(t.Context()); before != 311 || now != 300 || files != 3 || err != nil {
			t.Errorf("recounted %d bytes, %d before, in %d files: %v", now, before, files, err)
		}
		var changes sync.WaitGroup
		changes.Go(func() {
			for i := range rounds {
				object(t, s, fmt.Sprintf("/more%d", i), 10)
				if err := s.Detach(t.Context(), fmt.Sprintf("/more%d", i), false); err != nil {
					t.Error(err)
				}
			}
		})
		for range rounds {
			if before, now, _, err := s.Recount(t.Context()); before != now || err != nil {
				t.Fatalf("recounted %d bytes, %d before: %v", now, before, err)
			}
		}
		changes.Wait()
		sweep(t, s)
		if used, err := s.Usage(t.Context()); used != 300 || err != nil {
			t.Errorf("used %d: %v", used, err)
		}
		if used, err := other.Usage(t.Context()); used != 7+11 || err != nil {
			t.Errorf("the other one has used %d: %v", used, err)
		}
	})
}
