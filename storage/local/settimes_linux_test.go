package local_test

import (
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// TestSetFarTimes checks that times that don't fit in an int64 of nanoseconds since 1970 are set exactly.
// A filesystem that can't store one stores the nearest time that it can.
func TestSetFarTimes(t *testing.T) {
	for _, links := range []local.Links{local.LinksInside, local.LinksDeny, local.LinksFollow} {
		fsys, err := local.OpenWith(t.TempDir(), local.Options{Links: links})
		if err != nil {
			t.Fatal(err)
		}
		defer fsys.Close()
		if err := fsys.Mkdir(t.Context(), "/d", 0o777); err != nil {
			t.Fatal(err)
		}
		for _, want := range []time.Time{
			time.Date(1500, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2263, 1, 2, 3, 4, 5, 6, time.UTC),
			time.Date(2300, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(9999, 1, 2, 3, 4, 5, 6, time.UTC),
		} {
			if err := storage.SetTimes(t.Context(), fsys, "/d", want); err != nil {
				t.Fatal(err)
			}
			info, err := fsys.Stat(t.Context(), "/d")
			if err != nil {
				t.Fatal(err)
			}
			got := info.ModTime()
			first, last := got.Year() <= 1970 && got.After(want), got.Year() >= 2038 && got.Before(want)
			if !got.Equal(want) && (want.Year() < 1970 && !first || want.Year() > 2038 && !last) {
				t.Errorf("%v: %v became %v", links, want, got)
			}
		}
	}
}
