package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
)

func record(tb testing.TB, db *DB, id, content string) {
	tb.Helper()
	if err := db.SaveRecord(tb.Context(), id, []byte(content)); err != nil {
		tb.Fatal(err)
	}
}

func wantRecords(tb testing.TB, db *DB, want ...string) {
	tb.Helper()
	records, err := db.LoadRecords(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, string(r))
	}
	if !slices.Equal(got, want) {
		tb.Errorf("records %q, want %q", got, want)
	}
}

// TestJournal: a record that is replaced keeps its place, and all exist after a
// restart.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openAt(t, path)
	record(t, db, "b", "1")
	record(t, db, "a\x00%", "2")
	record(t, db, "b", "3")
	wantRecords(t, db, "3", "2")
	if err := errors.Join(db.DeleteRecord(t.Context(), "none"), db.DeleteRecord(t.Context(), "b")); err != nil {
		t.Error(err)
	}
	closeDB(t, db)
	wantRecords(t, openAt(t, path), "2")
}

// TestJournalKilled: a record is durable when SaveRecord returns.
func TestJournalKilled(t *testing.T) {
	path := killed(t, func(db *DB) { record(t, db, "a", "kept") })
	wantRecords(t, openAt(t, path), "kept")
}

// TestJournalDeletedLater: if a record can't be removed, the next change removes it.
// Recovery must not see it once others have changed the same names.
func TestJournalDeletedLater(t *testing.T) {
	for name, change := range map[string]func(*DB) error{
		"Save":   func(db *DB) error { return db.SaveRecord(t.Context(), "c", []byte("3")) },
		"Delete": func(db *DB) error { return db.DeleteRecord(t.Context(), "none") },
	} {
		t.Run(name, func(t *testing.T) {
			db := openNew(t)
			record(t, db, "a", "1")
			if _, err := db.writer.ExecContext(t.Context(), `CREATE TRIGGER broken BEFORE DELETE ON journal
				BEGIN SELECT RAISE(ABORT, 'broken'); END`); err != nil {
				t.Fatal(err)
			}
			if err := db.DeleteRecord(t.Context(), "a"); err == nil {
				t.Error("no error")
			}
			wantRecords(t, db, "1")
			if _, err := db.writer.ExecContext(t.Context(), "DROP TRIGGER broken"); err != nil {
				t.Fatal(err)
			}
			if err := change(db); err != nil {
				t.Fatal(err)
			}
			if name == "Save" {
				wantRecords(t, db, "3")
			} else {
				wantRecords(t, db)
			}
		})
	}
}

// TestJournalOfVersion1: a database that is older than the journal gets one.
func TestJournalOfVersion1(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := open(t.Context(), path, migrations[:1], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if db.owner, err = own(path); err != nil {
		t.Fatal(err)
	}
	fillOld(t, db)
	closeDB(t, db)
	db = openAt(t, path)
	wantProperty(t, db, "/a", "value")
	wantLocks(t, db, aLock)
	record(t, db, "a", "1")
	wantRecords(t, db, "1")
}

// TestJournalCanceled: if the context ends, the journal is unchanged.
func TestJournalCanceled(t *testing.T) {
	db := openNew(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.SaveRecord(ctx, "a", []byte("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if err := db.change(t.Context(), func(*sql.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
	wantRecords(t, db)
}
