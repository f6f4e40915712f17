package sqlstate

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/davd/davd/storage/history"
)

// TestHistoryKilled: a record is durable when SaveOperations returns.
func TestHistoryKilled(t *testing.T) {
	want := history.Record{ID: "a", Method: "COPY", State: history.Running, Started: time.Unix(1e9, 0).UTC()}
	path := killed(t, func(db *DB) {
		if err := db.SaveOperations(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	})
	got, err := openAt(t, path).LoadOperation(t.Context(), "a")
	if err != nil || got.State != want.State || !got.Started.Equal(want.Started) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestHistoryOfVersion2: a database that is older than the history gets one.
func TestHistoryOfVersion2(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := open(t.Context(), path, migrations[:2], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if db.owner, err = own(path); err != nil {
		t.Fatal(err)
	}
	fillOld(t, db)
	record(t, db, "a", "1")
	closeDB(t, db)
	db = openAt(t, path)
	wantLocks(t, db, aLock)
	wantRecords(t, db, "1")
	if err := db.SaveOperations(t.Context(), history.Record{ID: "a"}); err != nil {
		t.Error(err)
	}
}

// TestHistoryDamaged: a record that can't be decoded is an error, not an empty record.
func TestHistoryDamaged(t *testing.T) {
	db := openNew(t)
	if err := db.SaveOperations(t.Context(), history.Record{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"record", "failures"} {
		if _, err := db.writer.ExecContext(t.Context(), "UPDATE operations SET "+column+" = 'x'"); err != nil {
			t.Fatal(err)
		}
		if r, err := db.LoadOperation(t.Context(), "a"); err == nil {
			t.Errorf("%s: %+v and no error", column, r)
		}
		if err := db.SaveOperations(t.Context(), history.Record{ID: "a"}); err != nil {
			t.Fatal(err)
		}
	}
}
