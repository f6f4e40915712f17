package pgstate

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/storagetest/pgtest"
)

func TestCheck(t *testing.T) {
	dsn := pgtest.Database(t)
	if r, err := Check(t.Context(), dsn); !errors.Is(err, errNoTables) {
		t.Errorf("an empty database: %+v, %v", r, err)
	}
	db := member(t, dsn, Options{})
	prop := webdav.Property{XMLName: xml.Name{Local: "p"}, InnerXML: []byte("v")}
	if err := db.Properties().Patch(t.Context(), "/a", []webdav.Proppatch{{Props: []webdav.Property{prop}}}); err != nil {
		t.Fatal(err)
	}
	if r, err := Check(t.Context(), dsn); err != nil || r.Properties != 1 || r.Version == 0 || len(r.Problems) > 0 {
		t.Errorf("a sound state: %+v, %v", r, err)
	}
	const lock = "INSERT INTO locks (token, root, zero_depth, shared, owner, principal, duration, created) VALUES ($1, '/b/', FALSE, FALSE, '', '', -1, now())"
	for _, statement := range []string{
		"UPDATE property_use SET bytes = bytes + 1",
		"INSERT INTO property_use (owner, bytes) VALUES ('nobody', 1)",
		"UPDATE properties SET name = 'a'",
		strings.ReplaceAll(lock, "$1", "'one'"), strings.ReplaceAll(lock, "$1", "'two'"), strings.ReplaceAll(lock, "$1", "''"),
		"INSERT INTO tokens (owner, name, hash, read_only, created) VALUES ('', 'phone', '', FALSE, 0)",
		"INSERT INTO work (id, epoch, version, record) SELECT 'w', epoch, 0, '' FROM nodes",
	} {
		if _, err := db.exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Check(t.Context(), dsn)
	all := strings.Join(r.Problems, "\n")
	for _, problem := range []string{
		`of the user "" is counted wrongly`, `of the user "nobody" is counted wrongly`, `belongs to "a"`, `the lock on "/b/" is not valid`,
		`"/b/" has two locks`, `application password "phone"`, `operation "w" is empty`,
	} {
		if !strings.Contains(all, problem) {
			t.Errorf("no %s", problem)
		}
	}
	if err != nil || t.Failed() {
		t.Errorf("error %v, found:\n%s", err, all)
	}
	if _, err := db.exec(t.Context(), "DELETE FROM work"); err != nil {
		t.Fatal(err)
	}
}

// TestOpeningErrors checks that an error says what to do, and shows no password.
func TestOpeningErrors(t *testing.T) {
	config, err := pgx.ParseConfig("postgres://ann:s3cret@db/davd")
	if err != nil {
		t.Fatal(err)
	}
	for says, err := range map[string]error{
		"check the user, the password":     &pgconn.PgError{Code: "28P01", Message: "password authentication failed"},
		"create it with createdb":          &pgconn.PgError{Code: "3D000", Message: "no such database"},
		"needs PostgreSQL 13 or newer":     errOldServer,
		"raise max_connections":            &pgconn.PgError{Code: "53300", Message: "too many clients"},
		"name the primary server":          &pgconn.PgError{Code: "25006", Message: "read-only"},
		`the database "davd" at db: other`: errors.New("other"),
	} {
		if got := opening(config, err).Error(); !strings.Contains(got, says) || strings.Contains(got, "s3cret") {
			t.Errorf("%s, want %s", got, says)
		}
	}
	for dsn, says := range map[string]string{
		"postgres://ann:s3cret@127.0.0.1:1/davd":             "127.0.0.1: dial tcp 127.0.0.1:1: connect: connection refused: make sure that PostgreSQL is running there",
		"postgres://ann:s3cret@/davd?host=" + t.TempDir():    "no such file or directory: make sure",
		"postgres://ann:s3cret@127.0.0.1:1/davd?sslmode=odd": "sslmode is invalid",
	} {
		db, err := Open(t.Context(), dsn, Options{})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v, error %v, want %s", db, err, says)
		}
	}
}
