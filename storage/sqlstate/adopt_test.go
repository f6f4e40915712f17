package sqlstate

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/lock"
)

// TestAdopt checks that a database takes over the locks and properties of another one under
// another root, once, and keeps what it has.
func TestAdopt(t *testing.T) {
	from := made(t)
	other := openAt(t, from)
	patch(t, other, "/", aProperty)
	closeDB(t, other)
	before, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	adopting := Options{Adopt: []Adoption{{From: from, Root: "/.davd-share-x"}, {From: from + "-none", Root: "/.davd-share-none"}}}
	for round := range 2 { // the second is after a kill before the renaming
		db, err := adopting.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		wantProperty(t, db, "/.davd-share-x/a", "value")
		wantProperty(t, db, "/.davd-share-x", map[int]string{0: "value", 1: "newer"}[round])
		found, err := db.Locks().Find(t.Context(), aLock.Expires.Add(-time.Minute), "/.davd-share-x/a", false)
		if err != nil || len(found) != 1 || found[0].Root != "/.davd-share-x/a" || found[0].Token != aLock.Token {
			t.Errorf("locks %v, error %v", found, err)
		}
		newer := aProperty
		newer.InnerXML = []byte("newer")
		patch(t, db, "/.davd-share-x", newer)
		checkUse(t, db)
		closeDB(t, db)
		if _, err := os.Stat(from + AdoptedSuffix); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(from); err == nil {
			t.Error("the other database has kept its name")
		}
		if err := os.WriteFile(from, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// checkUse checks that property_use has the sums of the properties.
func checkUse(t *testing.T, db *DB) {
	t.Helper()
	var wrong int
	err := db.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM (SELECT owner, sum"+tables.PropertySize+" AS bytes FROM properties GROUP BY owner EXCEPT SELECT owner, bytes FROM property_use)").Scan(&wrong)
	if err != nil || wrong > 0 {
		t.Errorf("%d owners have wrong sums, error %v", wrong, err)
	}
}

// TestAdoptRoot checks that a lock of the root covers the share.
func TestAdoptRoot(t *testing.T) {
	from := filepath.Join(t.TempDir(), "from.db")
	other := openAt(t, from)
	if _, err := other.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/", Duration: time.Hour}); err != nil {
		t.Fatal(err)
	}
	closeDB(t, other)
	db, err := Options{Adopt: []Adoption{{From: from, Root: "/.davd-share-x"}}}.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, db)
	if _, err := db.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/.davd-share-x/a", Duration: time.Hour}); err == nil {
		t.Error("a member of the locked share could be locked")
	}
	if _, err := db.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/.davd-share-y", Duration: time.Hour}); err != nil {
		t.Error(err)
	}
}

// TestAdoptUnfinished checks that a database with a journal is left as it is.
func TestAdoptUnfinished(t *testing.T) {
	from := made(t)
	other := openAt(t, from)
	if err := other.SaveRecord(t.Context(), "id", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	closeDB(t, other)
	path := filepath.Join(t.TempDir(), "state.db")
	_, err := Options{Adopt: []Adoption{{From: from, Root: "/.davd-share-x"}}}.Open(t.Context(), path)
	if !errors.Is(err, ErrUnfinished) {
		t.Fatalf("error %v", err)
	}
	db := openAt(t, path)
	defer closeDB(t, db)
	if found, err := db.Any(t.Context(), "/"); found || err != nil {
		t.Errorf("properties: %t, %v", found, err)
	}
	openAndClose(t, from)
}

func openAndClose(t *testing.T, path string) {
	t.Helper()
	db := openAt(t, path)
	patch(t, db, "/", webdav.Property{XMLName: aProperty.XMLName})
	closeDB(t, db)
}
