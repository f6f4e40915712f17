package sqlstate

import (
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/storagetest"
)

func openAt(tb testing.TB, path string) *DB {
	tb.Helper()
	db, err := Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeDB(tb, db) })
	return db
}

func openNew(tb testing.TB) *DB {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "state.db"))
}

func closeDB(tb testing.TB, db *DB) {
	tb.Helper()
	if err := db.Close(); err != nil {
		tb.Error(err)
	}
}

// reopen closes db and opens its file again.
func reopen(tb testing.TB, db *DB) *DB {
	tb.Helper()
	var path string
	row := db.reader.QueryRowContext(tb.Context(), "SELECT file FROM pragma_database_list WHERE name = 'main'")
	if err := row.Scan(&path); err != nil {
		tb.Fatal(err)
	}
	closeDB(tb, db)
	return openAt(tb, path)
}

func BenchmarkProperties(b *testing.B) {
	storagetest.BenchmarkProperties(b, func(b *testing.B) deadprops.Store { return openNew(b) })
}
