// Package namestest checks the tables of package names in tests.
package namestest

import (
	"testing"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
)

// reach begins a query that needs the IDs r of all entries below the roots and the trash.
const reach = `WITH RECURSIVE r(id) AS (SELECT root FROM volumes UNION ALL SELECT trash FROM volumes UNION ALL SELECT e.id FROM r JOIN entries e ON e.parent = r.id) `

// faults are queries that count rows that must not exist.
func faults() map[string]string {
	return map[string]string{
		"entries without a way to the root":   reach + "SELECT count(*) FROM entries WHERE id NOT IN (SELECT id FROM r)",
		"members of files":                    "SELECT count(*) FROM entries m JOIN entries e ON m.parent = e.id WHERE NOT e.dir",
		"references to objects that are gone": "SELECT count(*) FROM entries WHERE blob IS NOT NULL AND NOT EXISTS (SELECT 1 FROM objects WHERE key = blob AND NOT doomed)",
		"objects that will never be removed":  "SELECT count(*) FROM objects o WHERE NOT doomed AND NOT EXISTS (SELECT 1 FROM entries WHERE blob = o.key) AND NOT EXISTS (SELECT 1 FROM loose l WHERE l.key = o.key)",
		"bytes that are not counted":          "SELECT CAST((SELECT sum(size) FROM entries) - (SELECT sum(bytes) FROM volume_use) AS BIGINT)",
		"rows of copies":                      "SELECT count(*) FROM copying",
	}
}

// Consistent checks that the tables agree with each other while nothing changes them.
func Consistent(tb testing.TB, db names.Database) {
	tb.Helper()
	for what, query := range faults() {
		var n int64
		err := tables.Each(tb.Context(), db.Base().Reader(), func(rows tables.Rows) error { return rows.Scan(&n) }, query)
		if err != nil || n != 0 {
			tb.Errorf("%s: %d (%v)", what, n, err)
		}
	}
}
