package sqlstate

import (
	"bytes"
	"database/sql"
	"encoding/xml"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/lock"
)

var (
	aProperty = webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "p"}, InnerXML: []byte("value")}
	aLock     = lock.Lock{Token: "urn:uuid:1", Root: "/a", Duration: time.Hour, Expires: time.Unix(1e9, 0).UTC()}
)

func patch(tb testing.TB, db *DB, name string, props ...webdav.Property) {
	tb.Helper()
	if err := db.Patch(tb.Context(), name, []webdav.Proppatch{{Props: props}}); err != nil {
		tb.Fatal(err)
	}
}

func wantProperty(tb testing.TB, db *DB, name, want string) {
	tb.Helper()
	found, _, err := db.Read(tb.Context(), deadprops.Query{Names: []string{name}})
	if err != nil {
		tb.Fatal(err)
	}
	if len(found[name]) != 1 || string(found[name][0].InnerXML) != want {
		tb.Errorf("%s has %v, want one property %q", name, found[name], want)
	}
}

// made returns the path of a closed database with some hundred properties and a lock.
func made(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "state.db")
	db := openAt(tb, path)
	fill(tb, db)
	closeDB(tb, db)
	return path
}

func fill(tb testing.TB, db *DB) {
	tb.Helper()
	props := make([]webdav.Property, 0, 500)
	for i := range cap(props) {
		prop := aProperty
		prop.XMLName.Local = "p" + strings.Repeat("x", i)
		props = append(props, prop)
	}
	patch(tb, db, "/many", props...)
	patch(tb, db, "/a", aProperty)
	saveLock(tb, db)
}

// saveLock saves aLock in a way that works in each version of the database.
func saveLock(tb testing.TB, db *DB) {
	tb.Helper()
	_, err := db.writer.ExecContext(tb.Context(), `INSERT INTO locks (token, root, zero_depth, shared, owner, principal, duration, expires)
		VALUES ($1, $2, 0, 0, '', '', $3, $4)`, tables.Text(aLock.Token), tables.Text(aLock.Root), int64(aLock.Duration), aLock.Expires.UnixMicro())
	if err != nil {
		tb.Fatal(err)
	}
}

// fillOld adds a property and a lock to a database of an older version.
func fillOld(tb testing.TB, db *DB) {
	tb.Helper()
	err := db.change(tb.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(tb.Context(), "INSERT INTO properties (name, space, local, lang, value) VALUES ($1, $2, $3, '', $4)",
			tables.Key("/a"), aProperty.XMLName.Space, aProperty.XMLName.Local, aProperty.InnerXML)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(tb.Context(), `INSERT INTO locks
			(token, root, zero_depth, shared, owner, principal, duration, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			aLock.Token, aLock.Root, aLock.ZeroDepth, aLock.Shared, []byte(aLock.OwnerXML), aLock.Principal,
			int64(aLock.Duration), aLock.Expires.UnixMicro())
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// killed returns the path of a database as a kill -9 leaves it: the last commits are in
// the log.
func killed(tb testing.TB, change func(db *DB)) string {
	tb.Helper()
	from, to := made(tb), filepath.Join(tb.TempDir(), "state.db")
	db := openAt(tb, from)
	change(db)
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(from + suffix)
		if err != nil {
			tb.Fatal(err)
		}
		write(tb, to+suffix, content)
	}
	closeDB(tb, db)
	return to
}

func write(tb testing.TB, path string, content []byte) {
	tb.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// edit changes the bytes of a file.
func edit(tb testing.TB, path string, change func(content []byte) []byte) {
	tb.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, path, change(content))
}

// execute runs statements on a file like another program.
func execute(tb testing.TB, path string, statements ...string) {
	tb.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		tb.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

// snapshot describes everything in a directory: modes and contents by name.
func snapshot(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found[path] = info.Mode().String()
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			found[path] += string(content)
			return err
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

// refuses checks that Open refuses the file with an error that contains the texts and
// the path, and changes nothing in its directory.
func refuses(t *testing.T, path string, texts ...string) {
	t.Helper()
	before := snapshot(t, filepath.Dir(path))
	db, err := Open(t.Context(), path)
	if err == nil {
		closeDB(t, db)
		t.Fatal("no error")
	}
	t.Log(err)
	for _, text := range append(texts, path) {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
	if after := snapshot(t, filepath.Dir(path)); !maps.Equal(before, after) {
		t.Errorf("the directory has changed: %d entries, had %d", len(after), len(before))
		for name, content := range after {
			if before[name] != content {
				t.Errorf("%s has changed or is new", name)
			}
		}
	}
}

// logged opens the database in dir and returns its log.
func logged(t *testing.T, dir string) (*DB, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	db, err := Options{Log: slog.New(slog.NewTextHandler(&log, nil))}.Open(t.Context(), filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeDB(t, db) })
	return db, &log
}
