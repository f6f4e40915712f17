package names_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
)

// TestFlaws makes each kind of contradiction in a database. Each one is found, and nothing else, also
// when there are more rows than a statement compares. Repair corrects the ones that it can.
func TestFlaws(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, damage string
		want         []names.Flaw
		repaired     bool
	}{
		{"no parent", "UPDATE entries SET parent = 12345678 WHERE fold = 'sub'", []names.Flaw{{Kind: names.Lost, Name: "sub"}}, false},
		{"a parent that is a file", "UPDATE entries SET parent = (SELECT id FROM entries WHERE fold = 'a.txt') WHERE fold = 'sub'", []names.Flaw{{Kind: names.Lost, Name: "/dir/a.txt/sub"}}, false},
		{
			"a circle", "UPDATE entries SET parent = (SELECT id FROM entries WHERE fold = 'sub') WHERE fold = 'dir'",
			[]names.Flaw{{Kind: names.Lost, Name: "dir"}, {Kind: names.Lost, Name: "sub"}},
			false,
		},
		{"a doomed object", "UPDATE objects SET doomed = TRUE WHERE size = 100", []names.Flaw{{Kind: names.Unknown, Name: "/dir/a.txt", Have: 100, Want: 100}}, false},
		{"another size", "UPDATE objects SET size = 99 WHERE size = 100", []names.Flaw{{Kind: names.Differs, Name: "/dir/a.txt", Have: 100, Want: 99}}, false},
		{"a forgotten object", "DELETE FROM loose", []names.Flaw{{Kind: names.Forgotten, Have: 7}}, true},
		{"another usage", "UPDATE volume_use SET bytes = bytes - 1 WHERE slot = 3", []names.Flaw{{Kind: names.Miscounted, Want: 100, Have: 99}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, s *names.Space) {
				mkdir(t, s, "/dir")
				mkdir(t, s, "/dir/sub")
				object(t, s, "/dir/a.txt", 100)
				object(t, s, "/gone", 7)
				if err := s.Detach(t.Context(), "/gone", false); err != nil {
					t.Fatal(err)
				}
				sweep(t, s)
				noFlaws(t, s)
				change(t, s, tt.damage)
				flaws := func() (found []names.Flaw) {
					err := s.Flaws(t.Context(), func(f names.Flaw) {
						f.ID, f.Key = 0, ""
						found = append(found, f)
					})
					if err != nil {
						t.Fatal(err)
					}
					slices.SortFunc(found, func(a, b names.Flaw) int { return strings.Compare(a.Name, b.Name) })
					return found
				}
				if got := flaws(); !slices.Equal(got, tt.want) {
					t.Errorf("found %+v, want %+v", got, tt.want)
				}
				if err := s.Repair(t.Context()); err != nil {
					t.Fatal(err)
				}
				left := tt.want
				if tt.repaired {
					left = nil
				}
				if got := flaws(); !slices.Equal(got, left) {
					t.Errorf("after the repair: %+v", got)
				}
			})
		})
	}
}

// TestFlawsOfMany looks at more rows than a statement compares.
func TestFlawsOfMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		change(t, s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000) INSERT INTO entries (id, parent, modified, changed, created, perm, dir, reserved, fold) SELECT i + 1000000, CASE WHEN i = 10500 THEN 5 ELSE (SELECT root FROM volumes) END, 0, 0, 0, 0, TRUE, FALSE, CAST(i AS TEXT) FROM n")
		var found []string
		if err := s.Flaws(t.Context(), func(f names.Flaw) { found = append(found, f.Name) }); err != nil || !slices.Equal(found, []string{"10500"}) {
			t.Errorf("found %v, %v", found, err)
		}
	})
}

// change runs a statement in the database of a space.
func change(tb testing.TB, s *names.Space, statement string) {
	tb.Helper()
	err := names.DatabaseOf(s).Change(tb.Context(), false, func(tx tables.Tx) error {
		n, err := tx.Exec(tb.Context(), statement)
		if err == nil && n == 0 {
			err = errors.New("nothing was changed")
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}
