package pgstate

import (
	"slices"
	"testing"

	"github.com/davd/davd/storage/storagetest/pgtest"
)

// TestStrays: notes are left when their node is dead. They follow renames, and go when they are
// forgotten.
func TestStrays(t *testing.T) {
	dsn := pgtest.Database(t)
	a, b := member(t, dsn, Options{}), member(t, dsn, Options{})
	left := func(want ...string) {
		t.Helper()
		all, err := b.LeftStrays(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range all {
			got = append(got, n.Root+":"+n.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("left: %q, want %q", got, want)
		}
	}
	stays, moved, gone := a.Strays().Add("r", "a/\xff%"), a.Strays().Add("r", "d/x"), a.Strays().Add("r", "d/y")
	b.Strays().Follow("d/", b.Strays(), "s", "e/")
	gone.Forget()
	if err := a.flushStrays(); err != nil {
		t.Fatal(err)
	}
	left()
	declare(t, a, b)
	left("r:a/\xff%", "r:d/x", "s:e/x")
	moved.Forget()
	stays.Forget()
	if err := a.flushStrays(); err != nil {
		t.Fatal(err)
	}
	left()
	if n := count(t, b, "SELECT count(*) FROM strays"); n > 0 {
		t.Errorf("%d notes", n)
	}
}
