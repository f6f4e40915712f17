package sqlstate

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// TestLost: once the database or its log has lost its name, no change is acknowledged,
// the log says why, and properties can still be read. When the file is back, everything
// works again.
func TestLost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let an open database be removed")
	}
	for name, suffixes := range map[string][]string{
		"the database": {""}, "the log": {"-wal"}, "all files": {"", "-wal", "-shm", reserveSuffix},
	} {
		for _, replaced := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				db, log := logged(t, dir)
				fill(t, db)
				wantProperty(t, db, "/a", "value")
				away := t.TempDir()
				for _, suffix := range suffixes {
					rename(t, db.path+suffix, filepath.Join(away, "state"+suffix))
					if replaced {
						write(t, db.path+suffix, []byte("another"))
					}
				}
				wantRefused(t, db)
				wantProperty(t, db, "/a", "value")
				wantNoConnection(t, db)
				if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
					t.Errorf("%d errors in the log, want one: %s", n, log)
				}
				for _, suffix := range suffixes {
					rename(t, filepath.Join(away, "state"+suffix), db.path+suffix)
				}
				patch(t, db, "/b", aProperty)
				wantProperty(t, reopen(t, db), "/b", "value")
			})
		}
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// wantRefused checks that each change is refused.
func wantRefused(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	_, secure := db.Secure(ctx, "/a", "/c", 0)
	for what, err := range map[string]error{
		"Patch":        db.Patch(ctx, "/a", []webdav.Proppatch{{Props: []webdav.Property{{XMLName: aProperty.XMLName}}}}),
		"Remove":       db.Remove(ctx, "/a"),
		"Copy":         db.Copy(ctx, "/a", "/c", false),
		"SaveLock":     db.SaveLock(ctx, aLock),
		"DeleteLocks":  db.DeleteLocks(ctx, aLock.Token),
		"SaveRecord":   db.SaveRecord(ctx, "a", []byte("r")),
		"SaveUrgent":   db.SaveUrgent(ctx, "a", []byte("r")),
		"DeleteRecord": db.DeleteRecord(ctx, "a"),
		"Secure":       secure,
	} {
		if !errors.Is(err, storage.ErrState) {
			t.Errorf("%s: error %v, want storage.ErrState", what, err)
		}
	}
}

// wantNoConnection checks that no new connection can read, because that would open the
// file that has the name now.
func wantNoConnection(t *testing.T, db *DB) {
	t.Helper()
	open, err := db.reader.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if found, err := db.Any(t.Context(), "/a"); !errors.Is(err, storage.ErrState) {
		t.Errorf("Any = %t, error %v, want storage.ErrState", found, err)
	}
}

// TestCloseLost: Close does not remove a log that has replaced davd's.
func TestCloseLost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let an open database be removed")
	}
	db, _ := logged(t, t.TempDir())
	fill(t, db)
	log := db.path + "-wal"
	rename(t, log, log+".away")
	write(t, log, []byte("another"))
	closeDB(t, db)
	if content, err := os.ReadFile(log); string(content) != "another" {
		t.Errorf("there is now %q (%v)", content, err)
	}
}
