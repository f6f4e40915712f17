package sqlstate

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

const (
	damagedText = "is damaged"
	foreignText = "belongs to another program"
	newerText   = "made by a newer davd"
)

// TestRefused: a file that is not a sound database of davd is refused, and no byte of
// it is changed.
func TestRefused(t *testing.T) {
	noise := make([]byte, 20_000)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise)
	for name, c := range map[string]struct {
		spoil func(content []byte) []byte
		text  string
	}{
		"Empty":          {func([]byte) []byte { return nil }, damagedText},
		"Text":           {func([]byte) []byte { return []byte("hello\n") }, foreignText},
		"Noise":          {func([]byte) []byte { return noise }, foreignText},
		"Zeros":          {func(c []byte) []byte { return make([]byte, len(c)) }, foreignText},
		"HalfHeader":     {func(c []byte) []byte { return c[:50] }, damagedText},
		"HeaderOnly":     {func(c []byte) []byte { return c[:100] }, damagedText},
		"OnePage":        {func(c []byte) []byte { return c[:4096] }, damagedText},
		"LastPageGone":   {func(c []byte) []byte { return c[:len(c)-4096] }, damagedText},
		"LastByteGone":   {func(c []byte) []byte { return c[:len(c)-1] }, damagedText},
		"NoiseAtEnd":     {func(c []byte) []byte { return append(c, noise[:100]...) }, damagedText},
		"HeaderNoise":    {func(c []byte) []byte { copy(c[16:60], noise); return c }, damagedText},
		"SchemaNoise":    {func(c []byte) []byte { copy(c[100:4096], noise); return c }, damagedText},
		"SchemaZero":     {func(c []byte) []byte { clear(c[100:4096]); return c }, damagedText},
		"InnerPageNoise": {func(c []byte) []byte { copy(c[4*4096:5*4096], noise); return c }, damagedText},
		"InnerPageZero":  {func(c []byte) []byte { clear(c[4*4096 : 5*4096]); return c }, damagedText},
		"LastPageZero":   {func(c []byte) []byte { clear(c[len(c)-4096:]); return c }, damagedText},
		"PagesSwapped":   {swapPages, damagedText},
		"ApplicationID":  {func(c []byte) []byte { binary.BigEndian.PutUint32(c[68:], 0x12345678); return c }, foreignText},
		"NewFileFormat":  {func(c []byte) []byte { c[18], c[19] = 9, 9; return c }, damagedText},
		"UTF16":          {func(c []byte) []byte { c[59] = 2; return c }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := made(t)
			edit(t, path, c.spoil)
			refuses(t, path, c.text)
		})
	}
}

func swapPages(c []byte) []byte {
	third := bytes.Clone(c[3*4096 : 4*4096])
	copy(c[3*4096:], c[5*4096:6*4096])
	copy(c[5*4096:], third)
	return c
}

// TestRefusedContent: an SQLite file whose content davd has not left like this is
// refused.
func TestRefusedContent(t *testing.T) {
	for name, c := range map[string]struct {
		statement, text string
	}{
		"Newer":        {"UPDATE davd_state SET version = 99", newerText},
		"Table":        {"CREATE TABLE other (x)", foreignText},
		"View":         {"CREATE VIEW other AS SELECT 1", foreignText},
		"TableMissing": {"DROP TABLE locks", damagedText},
		"NoVersion":    {"DELETE FROM davd_state", damagedText},
		"VersionZero":  {"UPDATE davd_state SET version = 0", damagedText},
		"VersionNULL":  {"DROP TABLE davd_state; CREATE TABLE davd_state (version)", damagedText},
	} {
		t.Run(name, func(t *testing.T) {
			path := made(t)
			execute(t, path, c.statement)
			refuses(t, path, c.text)
		})
		t.Run(name+"/InLog", func(t *testing.T) {
			path := killed(t, func(db *DB) {
				if _, err := db.writer.ExecContext(t.Context(), c.statement); err != nil {
					t.Fatal(err)
				}
			})
			refuses(t, path, c.text)
		})
	}
	t.Run("AnotherProgram", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "other.db")
		execute(t, path, "CREATE TABLE bookmarks (url)", "INSERT INTO bookmarks VALUES ('x')")
		refuses(t, path, foreignText)
	})
	t.Run("NoTables", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "other.db")
		execute(t, path, "PRAGMA application_id = 1684108900", "CREATE TABLE x (y)", "DROP TABLE x")
		refuses(t, path, damagedText)
	})
}

// TestRefusedBeside: files beside the database that davd does not leave there are
// refused.
func TestRefusedBeside(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		text  string
	}{
		"EmptyWithLog": {func(t *testing.T, path string) { write(t, path, nil) }, damagedText},
		"MissingWithLog": {func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, damagedText},
		"NoiseWithLog": {func(t *testing.T, path string) { write(t, path, []byte("noise")) }, foreignText},
		"CutOffWithLog": {func(t *testing.T, path string) {
			edit(t, path, func(c []byte) []byte { return c[:2*4096] })
		}, damagedText},
		"LogIsNoise": {func(t *testing.T, path string) { write(t, path+"-wal", []byte("noise, long enough")) }, damagedText},
		"LogCutOff":  {func(t *testing.T, path string) { write(t, path+"-wal", []byte{0x37}) }, damagedText},
		"Journal":    {func(t *testing.T, path string) { write(t, path+"-journal", []byte("noise")) }, foreignText},
		"LogIsDirectory": {func(t *testing.T, path string) {
			if err := os.Remove(path + "-wal"); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path+"-wal", 0o700); err != nil {
				t.Fatal(err)
			}
		}, foreignText},
	} {
		t.Run(name, func(t *testing.T) {
			path := killed(t, func(db *DB) { patch(t, db, "/b", aProperty) })
			c.spoil(t, path)
			refuses(t, path, c.text)
		})
	}
	t.Run("Directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		refuses(t, path, "not a regular file")
	})
	t.Run("DanglingLink", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.Symlink("nowhere", path); err != nil {
			t.Fatal(err)
		}
		refuses(t, path, "symbolic link")
	})
}

// TestAccepted: a crash or a backup leaves a sound database.
func TestAccepted(t *testing.T) {
	change := func(db *DB) {
		prop := aProperty
		prop.InnerXML = []byte("new")
		patch(t, db, "/a", prop)
	}
	for name, c := range map[string]struct {
		path func(t *testing.T) string
		want string
	}{
		"Log": {func(t *testing.T) string { return killed(t, change) }, "new"},
		"TornLog": {func(t *testing.T) string {
			path := killed(t, change)
			edit(t, path+"-wal", func(c []byte) []byte { return c[:len(c)-7] })
			return path
		}, "value"}, // The commit was never acknowledged.
		"ZeroLog": {func(t *testing.T) string {
			path := made(t)
			write(t, path+"-wal", make([]byte, 5000))
			return path
		}, "value"},
		"EmptyLog": {func(t *testing.T) string {
			path := made(t)
			write(t, path+"-wal", nil)
			return path
		}, "value"},
		"Backup": {func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "it's a backup %41?#.db")
			execute(t, made(t), "VACUUM INTO '"+filepath.Dir(path)+"/it''s a backup %41?#.db'")
			return path
		}, "value"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openAt(t, c.path(t))
			wantProperty(t, db, "/a", c.want)
			wantLocks(t, db, aLock)
			change(db)
			wantProperty(t, reopen(t, db), "/a", "new")
		})
	}
}
