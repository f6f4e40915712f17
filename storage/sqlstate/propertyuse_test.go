package sqlstate

import (
	"database/sql"
	"encoding/xml"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/internal/tables"
)

// TestPropertiesOfVersion4: a database that is older than the limits may exceed them.
// All properties belong to "" and can be read, in pages, and removed.
func TestPropertiesOfVersion4(t *testing.T) {
	const large, count = 300 << 10, 40
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := open(t.Context(), path, migrations[:4], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if db.owner, err = own(path); err != nil {
		t.Fatal(err)
	}
	err = db.change(t.Context(), func(tx *sql.Tx) error {
		for i := range count {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO properties (name, space, local, lang, value) VALUES ($1, 'urn:x', $2, '', $3)",
				"/a/", "p"+strings.Repeat("x", i), make([]byte, large)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
	db = openAt(t, path)
	anyone := deadprops.WithBudget(t.Context(), deadprops.Budget{Limits: deadprops.Limits{Owner: count * large}})
	patch := webdav.Proppatch{Props: []webdav.Property{aProperty}}
	var limit *deadprops.LimitError
	if err := db.Patch(anyone, "/b", []webdav.Proppatch{patch}); !errors.As(err, &limit) || !limit.PerOwner {
		t.Errorf("one more property of all: %v", err)
	}
	found, next, err := db.Read(t.Context(), deadprops.Query{Names: []string{"/a"}, MaxBytes: 1 << 20})
	if err != nil || next == nil || len(found["/a"]) != 3 {
		t.Errorf("the first page has %d, next %v, %v", len(found["/a"]), next, err)
	}
	if err := db.Move(t.Context(), "/a", "/c"); err != nil {
		t.Error(err)
	}
	if err := db.Remove(t.Context(), "/c"); err != nil {
		t.Error(err)
	}
	if err := db.Patch(anyone, "/b", []webdav.Proppatch{patch}); err != nil {
		t.Error(err)
	}
	wantUse(t, db, map[string]int64{"": int64(deadprops.Size(aProperty))})
}

// wantUse compares property_use with want and with the stored properties.
func wantUse(t *testing.T, db *DB, want map[string]int64) {
	t.Helper()
	for owner, bytes := range want {
		var noted, stored int64
		err := db.reader.QueryRowContext(t.Context(), "SELECT (SELECT coalesce(sum(bytes), 0) FROM property_use WHERE owner = $1), coalesce(sum"+tables.PropertySize+", 0) FROM properties WHERE owner = $1", tables.Text(owner)).Scan(&noted, &stored)
		if err != nil || noted != bytes || stored != bytes {
			t.Errorf("%q has %d bytes, noted %d, %v; want %d", owner, stored, noted, err, bytes)
		}
	}
}

// TestPatchOwners: each property counts for the owner that has set it last, also under a
// name that is stored in another form.
func TestPatchOwners(t *testing.T) {
	db := openNew(t)
	prop := func(local, lang, value string) webdav.Property {
		return webdav.Property{XMLName: xml.Name{Space: "urn:\xff%", Local: local}, Lang: lang, InnerXML: []byte(value)}
	}
	const one, two = 64 + len("urn:%FF%25") + len("one"), 64 + len("urn:%FF%25") + len("two")
	for _, step := range []struct {
		owner string
		patch []webdav.Proppatch
		want  map[string]int
	}{
		{"a%", []webdav.Proppatch{{Props: []webdav.Property{prop("one", "de", "é"), prop("two", "", "")}}}, map[string]int{"a%": one + len("deé") + two}},
		{"b", []webdav.Proppatch{{Props: []webdav.Property{prop("one", "", "longer")}}, {Remove: true, Props: []webdav.Property{prop("two", "", ""), prop("none", "", "")}}}, map[string]int{"b": one + len("longer")}},
		{"b", []webdav.Proppatch{{Props: []webdav.Property{prop("one", "", "x"), prop("one", "", "xyz")}}}, map[string]int{"b": one + len("xyz")}},
		{"c", []webdav.Proppatch{{Props: []webdav.Property{prop("two", "", "y")}}, {Remove: true, Props: []webdav.Property{prop("one", "", "")}}}, map[string]int{"c": two + len("y")}},
		{"c", []webdav.Proppatch{{Remove: true, Props: []webdav.Property{prop("two", "", "")}}}, nil},
	} {
		ctx := deadprops.WithBudget(t.Context(), deadprops.Budget{Owner: step.owner})
		if err := db.Patch(ctx, "/f", step.patch); err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"a%": 0, "b": 0, "c": 0}
		for owner, bytes := range step.want {
			want[owner] = int64(bytes)
		}
		wantUse(t, db, want)
		if bare, err := isBare(ctx, db.reader); err != nil || bare != db.bare.Load() {
			t.Errorf("after %s: bare is %v, want %v, %v", step.owner, db.bare.Load(), bare, err)
		}
		var rows int
		if err := db.reader.QueryRowContext(ctx, "SELECT count(*) FROM property_use").Scan(&rows); err != nil || rows != len(step.want) {
			t.Errorf("after %s: %d owners, want %d, %v", step.owner, rows, len(step.want), err)
		}
	}
}
