package sqlstate

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/internal/tables"
)

// fillDisk fills the disk that holds dir, except for free bytes, and returns a function
// that undoes that.
func fillDisk(t *testing.T, dir string, free int64) (undo func()) {
	t.Helper()
	name := filepath.Join(dir, "others")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for left := freeSpace(dir) - free; left > 0; left -= int64(len(block)) {
		if _, err := file.Write(block); err != nil && !storage.NoSpace(err) {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUrgentOnFullDisk: on a full disk, work that frees space still succeeds, again and
// again, and is logged. Other changes are refused.
func TestUrgentOnFullDisk(t *testing.T) {
	dir := smallDisk(t, "8m")
	db, _ := logged(t, dir)
	const rounds = 20
	for i := range rounds {
		patch(t, db, fmt.Sprintf("/%d", i), aProperty)
		l := aLock
		l.Token = strconv.Itoa(i)
		if err := db.SaveLock(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	db.tidy()
	// The log is new, so no part of it can be reused yet.
	closeDB(t, db)
	db, log := logged(t, dir)
	undo := fillDisk(t, dir, 0)
	large := aProperty
	large.InnerXML = bytes.Repeat([]byte("x"), 2<<20)
	err := db.Patch(t.Context(), "/large", []webdav.Proppatch{{Props: []webdav.Property{large}}})
	if !storage.NoSpace(err) {
		t.Errorf("a change of 2 MiB: error %v, want one of no space", err)
	}
	for i := range rounds {
		id := strconv.Itoa(i)
		release, err := db.Secure(t.Context(), "/"+id, "", 1)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(
			db.SaveUrgent(t.Context(), id, []byte("a record")), db.Remove(t.Context(), "/"+id),
			db.DeleteLocks(t.Context(), id), db.DeleteRecord(t.Context(), id),
		)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		release()
	}
	if !strings.Contains(log.String(), "uses its reserved space") {
		t.Errorf("the log is %q", log)
	}
	if db.reserve.size < reserveBase/2 {
		t.Errorf("%d bytes are left in reserve", db.reserve.size)
	}
	undo()
	db.tidy()
	if db.reserve.size != reserveBase {
		t.Errorf("with room again, %d bytes are in reserve", db.reserve.size)
	}
	db = reopen(t, db)
	if found, err := db.Any(t.Context(), "/"); found || err != nil {
		t.Errorf("Any = %v, %v", found, err)
	}
	wantLocks(t, db)
}

// TestSecured: after Secure has reserved space, the disk may fill up: properties of any
// size are moved and copied, locks end, and the record is removed. If Secure fails,
// nothing has changed.
func TestSecured(t *testing.T) {
	for _, rows := range []struct{ n, size int }{
		{1, 1}, {20, 50}, {20, 900}, {20, 1100}, {200, 300}, {50, 5000}, {3, 65536}, {1000, 100}, {300, 4000},
	} {
		for _, method := range []string{"COPY", "MOVE"} {
			for _, overwrite := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s of %d of %d bytes, overwrite %t", method, rows.n, rows.size, overwrite), func(t *testing.T) {
					db, _ := logged(t, smallDisk(t, "24m"))
					setMany(t, db, "/src", rows.n, rows.size, "new")
					if overwrite {
						setMany(t, db, "/dst-with-a-longer-name", rows.n, rows.size, "old")
					}
					securedTransfer(t, db, method, rows.n)
				})
			}
		}
	}
}

func securedTransfer(t *testing.T, db *DB, method string, n int) {
	t.Helper()
	ctx, dir := t.Context(), filepath.Dir(db.path)
	db.tidy()
	release, err := db.Secure(ctx, "/src", "/dst-with-a-longer-name", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := db.SaveRecord(ctx, "id", []byte("record")); err != nil {
		t.Fatal(err)
	}
	before := db.reserve.base
	defer fillDisk(t, dir, 0)()
	if method == "COPY" {
		err = db.Copy(ctx, "/src", "/dst-with-a-longer-name", false)
	} else {
		err = db.Move(ctx, "/src", "/dst-with-a-longer-name")
	}
	err = errors.Join(err, db.SaveUrgent(ctx, "id", []byte("another")), db.DeleteRecord(ctx, "id"))
	if err != nil {
		t.Fatal(err)
	}
	// Only the promised space was used.
	if db.reserve.size < before {
		t.Errorf("%d bytes are in reserve, %d of the base of %d are used", db.reserve.size, before-db.reserve.size, before)
	}
	wantMany(t, db, "/dst-with-a-longer-name", n, "new")
	if method == "MOVE" {
		n = 0
	}
	wantMany(t, db, "/src", n, "new")
}

// setMany gives n members of the tree name properties of up to size bytes.
func setMany(t *testing.T, db *DB, name string, n, size int, value string) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(n), uint64(size)))
	err := db.change(t.Context(), func(tx *sql.Tx) error {
		for i := range n {
			content := append([]byte(value), bytes.Repeat([]byte("x"), size/2+random.IntN(size/2+1))...)
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO properties (name, space, local, lang, value) VALUES ($1, 'urn:x', 'p', '', $2)
				ON CONFLICT (name, space, local) DO UPDATE SET value = excluded.value`, tables.Key(fmt.Sprintf("%s/member %d", name, i)), content); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db.bare.Store(false)
}

func wantMany(t *testing.T, db *DB, name string, n int, value string) {
	t.Helper()
	var all, good int
	from, to := tables.Tree(name)
	err := db.reader.QueryRowContext(t.Context(), `SELECT count(*), coalesce(sum(substr(value, 1, 3) = CAST($3 AS BLOB)), 0)
		FROM properties WHERE name >= $1 AND name < $2`, from, to, value).Scan(&all, &good)
	if err != nil || all != n || good != n {
		t.Errorf("%s has %d properties, %d of them %s, want %d (%v)", name, all, good, value, n, err)
	}
}

// TestSecureRefuses: if the space can't be reserved, the error comes before any change,
// and the reserve is unchanged.
func TestSecureRefuses(t *testing.T) {
	db, _ := logged(t, smallDisk(t, "8m"))
	setMany(t, db, "/src", 100, 2000, "new")
	undo := fillDisk(t, filepath.Dir(db.path), 64<<10)
	before := db.reserve.size
	_, err := db.Secure(t.Context(), "/src", "/dst", 0)
	if !storage.NoSpace(err) {
		t.Errorf("error %v, want one of no space", err)
	}
	if db.reserve.size != before || db.reserve.promised != 0 {
		t.Errorf("%d bytes are in reserve and %d are promised, had %d", db.reserve.size, db.reserve.promised, before)
	}
	undo()
	release, err := db.Secure(t.Context(), "/src", "/dst", 0)
	if err != nil {
		t.Fatal(err)
	}
	release()
	release()
	db.tidy()
	if db.reserve.size != before || db.reserve.promised != 0 {
		t.Errorf("%d bytes are in reserve and %d are promised, had %d", db.reserve.size, db.reserve.promised, before)
	}
}

// TestOpenOnFullDiskAfterKill: space that was promised before a kill is still reserved
// for the recovery and for the start itself.
func TestOpenOnFullDiskAfterKill(t *testing.T) {
	dir := smallDisk(t, "8m")
	path := filepath.Join(dir, "state.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	setMany(t, db, "/src", 200, 2000, "new")
	if _, err := db.Secure(t.Context(), "/src", "/dst", 0); err != nil {
		t.Fatal(err)
	}
	promised := db.reserve.size
	closeDB(t, db) // Now log and index are gone, so the next start needs more space.
	defer fillDisk(t, dir, 0)()
	db, log := logged(t, dir)
	if err := db.Copy(t.Context(), "/src", "/dst", false); err != nil {
		t.Errorf("with %d bytes in reserve: %v; %s", promised, err, log)
	}
	wantMany(t, db, "/dst", 200, "new")
}
