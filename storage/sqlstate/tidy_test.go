package sqlstate

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"
)

// swell makes the database grow by some MiB, and then removes the content.
func swell(t *testing.T, db *DB) {
	t.Helper()
	prop := aProperty
	prop.InnerXML = bytes.Repeat([]byte("x"), 4<<20)
	patch(t, db, "/large", prop)
	patch(t, db, "/large/member", prop)
	if err := db.Remove(t.Context(), "/large"); err != nil {
		t.Fatal(err)
	}
}

func sizeOf(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestShrinks: some time after the last change the database and its log are small
// again, and their content is right.
func TestShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		db := openAt(t, path)
		fill(t, db)
		swell(t, db)
		time.Sleep(2 * quiet)
		wantSmall(t, path)
		wantProperty(t, db, "/a", "value")
		wantLocks(t, db, aLock)
		closeDB(t, db)
	})
}

func wantSmall(t *testing.T, path string) {
	t.Helper()
	if size := sizeOf(t, path); size > 1<<20 {
		t.Errorf("the database has %d bytes", size)
	}
	if size := sizeOf(t, path+"-wal"); size > keptLog {
		t.Errorf("the log has %d bytes", size)
	}
}

// TestShrinksOld: a database of an older davd can't shrink. It is rewritten at a start,
// and shrinks from then on, even if a kill has left it with a log.
func TestShrinksOld(t *testing.T) {
	path := killed(t, func(db *DB) { patch(t, db, "/b", aProperty) })
	execute(t, path, "PRAGMA auto_vacuum = 0", "VACUUM")
	db := openAt(t, path)
	var mode string
	if err := db.writer.QueryRowContext(t.Context(), "PRAGMA auto_vacuum").Scan(&mode); err != nil || mode != autoVacuum {
		t.Errorf("auto_vacuum is %s, want %s (%v)", mode, autoVacuum, err)
	}
	swell(t, db)
	for range 1000 {
		db.tidy()
	}
	wantSmall(t, path)
	wantProperty(t, db, "/a", "value")
	wantProperty(t, db, "/b", "value")
	wantLocks(t, db, aLock)
	db = reopen(t, db)
	wantProperty(t, db, "/b", "value")
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if matched, _ := filepath.Match("*.new-*", entry.Name()); matched {
			t.Errorf("%s is left", entry.Name())
		}
	}
}

// TestLogLimit: the log is shortened even while changes continue without a pause.
func TestLogLimit(t *testing.T) {
	db := openNew(t)
	large := aProperty
	large.InnerXML = bytes.Repeat([]byte("x"), 4*logLimit)
	patch(t, db, "/a", large)
	if size := sizeOf(t, db.path+"-wal"); size <= 2*logLimit {
		t.Errorf("a change of %d bytes has a log of %d", len(large.InnerXML), size)
	}
	for range 3000 {
		if err := db.Patch(t.Context(), "/a", []webdav.Proppatch{{Props: []webdav.Property{aProperty}}}); err != nil {
			t.Fatal(err)
		}
		if size := sizeOf(t, db.path+"-wal"); size <= 2*logLimit {
			return
		}
	}
	t.Errorf("the log has %d bytes", sizeOf(t, db.path+"-wal"))
}
