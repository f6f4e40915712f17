package sqlstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/storage/deadprops"
)

// TestBackup: a backup has what the database has, whether that is in use or not, and is sound.
func TestBackup(t *testing.T) {
	for _, used := range []bool{false, true} {
		t.Run(fmt.Sprint("used ", used), func(t *testing.T) {
			path := made(t)
			if used {
				db := openAt(t, path)
				defer closeDB(t, db)
				patch(t, db, "/only-in-the-log", aProperty)
			}
			to := filepath.Join(t.TempDir(), "backup.db")
			if err := Backup(t.Context(), path, to, used); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(to)
			if err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("the backup is %v, error %v", info, err)
			}
			if entries, err := os.ReadDir(filepath.Dir(to)); err != nil || len(entries) != 1 {
				t.Errorf("beside the backup are %v, error %v", entries, err)
			}
			report, err := Check(t.Context(), to, false)
			if err != nil || len(report.Problems) != 0 || report.Locks != 1 || report.Version != len(migrations) {
				t.Errorf("the backup: %+v, error %v", report, err)
			}
			copied := openAt(t, to)
			defer closeDB(t, copied)
			if used {
				wantProperty(t, copied, "/only-in-the-log", "value")
			}
			found, _, err := copied.Read(t.Context(), deadprops.Query{Names: []string{"/a"}})
			if err != nil || len(found["/a"]) == 0 {
				t.Errorf("the backup has %v, error %v", found, err)
			}
		})
	}
}

// TestBackupRefused: a backup replaces nothing, and leaves nothing behind if it fails.
func TestBackupRefused(t *testing.T) {
	path := made(t)
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), path, there, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if err := Backup(t.Context(), there, filepath.Join(dir, "new"), false); !errors.Is(err, errForeign) {
		t.Errorf("of a file that is no database: %v", err)
	}
	db := openAt(t, path)
	if err := Backup(t.Context(), path, filepath.Join(dir, "new"), false); err == nil {
		t.Error("a database that is in use counted as unused")
	}
	closeDB(t, db)
	if content, err := os.ReadFile(there); err != nil || string(content) != "x" {
		t.Errorf("the file is %q, error %v", content, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}

// TestCheck: each kind of damage is found, and a check changes nothing.
func TestCheck(t *testing.T) {
	for damage, says := range map[string]string{
		"":                                  "",
		"UPDATE property_use SET bytes = 1": "is counted wrongly",
		"DELETE FROM properties":            "has no properties but",
		"UPDATE properties SET name = substr(name, 2)":                                               "no name of a resource",
		"UPDATE locks SET token = ''":                                                                "the lock on",
		"UPDATE locks SET expires = NULL":                                                            "",
		"INSERT INTO journal (id, record) VALUES ('x', x'')":                                         `unfinished operation "x" is empty`,
		"INSERT INTO operations (id, principal, record, failures) VALUES ('x', '', x'', x'')":        `the operation "x" can't be read`,
		"INSERT INTO tokens (owner, name, hash, read_only, created) VALUES ('', 'phone', x'', 0, 0)": `password "phone" has no user`,
		"INSERT INTO locks SELECT seq+1, token||'2', root, 1, 0, owner, '', 1, NULL, created FROM locks; UPDATE locks SET expires = NULL": "has two locks",
		"DROP TABLE shares": "is missing",
	} {
		t.Run(damage, func(t *testing.T) {
			path := made(t)
			db := openAt(t, path)
			if _, err := db.writer.ExecContext(t.Context(), damage); damage != "" && err != nil {
				t.Fatal(err)
			}
			closeDB(t, db)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			report, err := Check(t.Context(), path, false)
			all := strings.Join(report.Problems, "\n")
			if err != nil || (says == "") != (all == "") || !strings.Contains(all, says) {
				t.Errorf("got %q, error %v, want %q", all, err, says)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the database has changed, error %v", err)
			}
		})
	}
}

// TestCheckPages: a page that is overwritten is found.
func TestCheckPages(t *testing.T) {
	path := made(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 2; i < len(content)/2+8192; i++ {
		content[i] = 0xaa
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := Check(t.Context(), path, false)
	if err != nil || len(report.Problems) == 0 {
		t.Errorf("got %+v, error %v", report, err)
	}
	if err := Backup(t.Context(), path, filepath.Join(t.TempDir(), "backup"), false); !errors.Is(err, errDamaged) {
		t.Errorf("a backup of it: %v", err)
	}
}
