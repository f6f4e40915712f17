package main

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/strays"
	"github.com/davd/davd/storage/tree"
)

// TestSweep checks that the temporary files of a PUT are removed and reported at the start, and
// that a read-only davd leaves them.
func TestSweep(t *testing.T) {
	dir, kept := t.TempDir(), filepath.Join(t.TempDir(), "strays")
	fsys, err := local.Open(dir)
	must(t, err)
	defer fsys.Close()
	must(t, os.WriteFile(filepath.Join(dir, ".davd-x"), nil, 0o600))
	notes, err := strays.Open(kept)
	must(t, err)
	notes.Add("", ".davd-x")
	notes.Add("", ".davd-never")
	must(t, notes.Close())
	notes, err = strays.Open(kept)
	must(t, err)
	defer notes.Close()
	s := &site{fsys: fsys, state: &state.State{Strays: notes}}
	if recovered, err := s.recovered(t.Context(), &dav.Handler{FileSystem: fsys, ReadOnly: true}); err != nil || recovered != nil {
		t.Errorf("read-only: %v, error %v", recovered, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, ".davd-x")); err != nil {
		t.Error(err)
	}
	recovered, err := s.recovered(t.Context(), &dav.Handler{FileSystem: fsys})
	want := []tree.Recovery{{
		Entry:  tree.Entry{Method: http.MethodPut, State: tree.Staging, Source: "/.davd-x", Stage: "/.davd-x"},
		Result: tree.Undone,
	}}
	if err != nil || !reflect.DeepEqual(recovered, want) {
		t.Errorf("recovered %+v, error %v", recovered, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
