package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// TestPragmas: only a power cut would show what a commit waits for. But a test can show
// what SQLite was asked for.
func TestPragmas(t *testing.T) {
	db := openNew(t)
	for pragma, want := range map[string]string{
		"synchronous": "2", "journal_mode": "wal", "fullfsync": "1", "checkpoint_fullfsync": "1", "locking_mode": "normal",
		"application_id": "1684108900",
	} {
		var got string
		if err := db.writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", pragma, got, want, err)
		}
	}
}

// TestPrivate: other users of the machine can't read dead properties and lock tokens.
func TestPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	above := t.TempDir()
	path := filepath.Join(above, "a", "b", "state.db")
	db := openAt(t, path)
	fill(t, db)
	err := filepath.WalkDir(filepath.Join(above, "a"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	closeDB(t, db)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("after Close there is %v, want the database and its reserve (%v)", entries, err)
	}
}

// TestReadsDoNotWait: reads see what was committed while another change is being made.
func TestReadsDoNotWait(t *testing.T) {
	db := openNew(t)
	fill(t, db)
	ctx := t.Context()
	err := db.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM properties"); err != nil {
			return err
		}
		wantProperty(t, db, "/a", "value")
		if found, err := db.Any(ctx, "/many"); !found || err != nil {
			t.Errorf("Any = %v, %v", found, err)
		}
		wantLocks(t, db, aLock)
		// A change that finds nothing to change does not wait either.
		return errors.Join(db.Remove(ctx, "/none"), db.Move(ctx, "/none", "/nor"), db.Copy(ctx, "/none", "/nor", false))
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTurn: a change waits for its turn, but no longer than its context lasts.
func TestTurn(t *testing.T) {
	db := openNew(t)
	fill(t, db)
	if err := db.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- db.Remove(ctx, "/a") }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	db.leave()
	wantProperty(t, db, "/a", "value")
}

// TestChangeCanceled: if the context ends before the commit, the change is not made.
func TestChangeCanceled(t *testing.T) {
	db := openNew(t)
	fill(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM properties")
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	wantProperty(t, db, "/a", "value")
}

// TestCloseWaits: the database has an owner until the last change is made.
func TestCloseWaits(t *testing.T) {
	path := made(t)
	synctest.Test(t, func(t *testing.T) {
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error)
		err = db.change(t.Context(), func(tx *sql.Tx) error {
			go func() { closed <- db.Close() }()
			synctest.Wait()
			if _, err := own(path); err == nil {
				t.Error("it has no owner while it is being changed")
			}
			_, err := tx.ExecContext(t.Context(), "DELETE FROM properties WHERE name = '/many/'")
			return err
		})
		if err := errors.Join(err, <-closed); err != nil {
			t.Error(err)
		}
	})
	db := openAt(t, path)
	if found, err := db.Any(t.Context(), "/many"); found || err != nil {
		t.Errorf("Any = %v, %v", found, err)
	}
}

// TestBare: if there are no properties, the database is not queried, and no existing
// property is ever overlooked.
func TestBare(t *testing.T) {
	db := openNew(t)
	wantBare := func(want bool) {
		t.Helper()
		if got := db.bare.Load(); got != want {
			t.Errorf("bare is %v, want %v", got, want)
		}
	}
	wantBare(true)
	patch(t, db, "/a", aProperty)
	wantBare(false)
	db = reopen(t, db)
	wantBare(false)
	if err := db.Remove(t.Context(), "/"); err != nil {
		t.Error(err)
	}
	wantBare(true)
	patch(t, db, "/a", aProperty)
	if err := db.Patch(t.Context(), "/a", []webdav.Proppatch{{Remove: true, Props: []webdav.Property{aProperty}}}); err != nil {
		t.Error(err)
	}
	wantBare(true)
	db = reopen(t, db)
	wantBare(true)

	reader := db.reader
	db.reader = nil // A query would panic.
	ctx := t.Context()
	_, errAny := db.Any(ctx, "/")
	_, _, errRead := db.Read(ctx, deadprops.Query{Names: []string{"/", "/a"}})
	if err := errors.Join(errAny, errRead, db.Remove(ctx, "/a"), db.Move(ctx, "/a", "/b"), db.Copy(ctx, "/a", "/b", false),
		db.Patch(ctx, "/a", []webdav.Proppatch{{Remove: true, Props: []webdav.Property{aProperty}}})); err != nil {
		t.Error(err)
	}
	db.reader = reader
}

// TestFull: a database that can't grow reports it with an error that the handler
// recognizes, and keeps its content.
func TestFull(t *testing.T) {
	db := openNew(t)
	fill(t, db)
	if _, err := db.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 100"); err != nil {
		t.Fatal(err)
	}
	fillUp(t, db)
}

// fillUp patches properties until the space runs out.
func fillUp(t *testing.T, db *DB) {
	t.Helper()
	large := aProperty
	large.InnerXML = []byte(strings.Repeat("x", 64<<10))
	var names []string
	for n := 0; ; n++ {
		name := "/large/" + strings.Repeat("x", n)
		err := db.Patch(t.Context(), name, []webdav.Proppatch{{Props: []webdav.Property{large}}})
		if err != nil {
			t.Log(err)
			if !storage.NoSpace(err) || !strings.Contains(err.Error(), name) {
				t.Errorf("error %q is not one of NoSpace that names %q", err, name)
			}
			break
		}
		if names = append(names, name); n == 1000 {
			t.Fatal("it takes everything")
		}
	}
	for _, name := range names {
		wantProperty(t, db, name, string(large.InnerXML))
	}
	wantProperty(t, db, "/a", "value")
	wantLocks(t, db, aLock)
}

// TestMigrations: an older database is upgraded in one step, or stays as it is.
func TestMigrations(t *testing.T) {
	path := made(t)
	second := migration{tables: []string{"more"}, statements: []string{"CREATE TABLE more (x TEXT)"}}
	broken := migration{tables: []string{"most"}, statements: []string{"CREATE TABLE most (x TEXT)", "nonsense"}}
	openWith := func(more ...migration) (*DB, error) {
		db, err := open(t.Context(), path, append(slices.Clone(migrations), more...), slog.New(slog.DiscardHandler))
		if err == nil {
			db.owner, err = own(path)
		}
		return db, err
	}
	if _, err := openWith(second, broken); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("to version %d", len(migrations)+2)) {
		t.Errorf("error %v, want one that says which version", err)
	}
	closeDB(t, openAt(t, path)) // It is unchanged.
	db, err := openWith(second)
	if err != nil {
		t.Fatal(err)
	}
	wantProperty(t, db, "/a", "value")
	wantLocks(t, db, aLock)
	if _, err := db.writer.ExecContext(t.Context(), "INSERT INTO more (x) VALUES ('y')"); err != nil {
		t.Error(err)
	}
	closeDB(t, db)
	refuses(t, path, newerText, fmt.Sprintf("version is %d", len(migrations)+1))
	if db, err = openWith(second); err != nil { // The second time there is nothing to do.
		t.Fatal(err)
	}
	closeDB(t, db)
}

// TestOpenCanceled: if the context ends, nothing is left behind.
func TestOpenCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := Open(ctx, filepath.Join(dir, "state.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if found := snapshot(t, dir); len(found) != 1 {
		t.Errorf("it left %v", found)
	}
	path := made(t)
	if _, err := Open(ctx, path); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), damagedText) {
		t.Errorf("error %v, want context.Canceled alone", err)
	}
}

func TestOpenNames(t *testing.T) {
	for _, dsn := range []string{"", "postgres://host/db"} {
		if _, err := Open(t.Context(), dsn); err == nil {
			t.Errorf("%q: no error", dsn)
		}
	}
	t.Chdir(t.TempDir())
	name := "100% é ?mode=memory&x #1 'quoted'.db"
	db := openAt(t, name)
	fill(t, db)
	closeDB(t, db)
	closeDB(t, db) // The second Close does nothing.
	if _, err := os.Lstat(name); err != nil {
		t.Error(err)
	}
	wantProperty(t, openAt(t, name), "/a", "value")
}
