//go:build unix

package dav_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/tree"
)

// strayJournal is a journal without records that has Strays.
type strayJournal struct {
	tree.Journal
	strays *storage.Strays
}

func (j strayJournal) Strays() *storage.Strays { return j.strays }

// emptyJournal has no records.
type emptyJournal struct{ tree.Journal }

func (emptyJournal) LoadRecords(context.Context) ([][]byte, error) { return nil, nil }

// TestRecoverStrays checks that Recover removes and reports the temporary files of a
// PUT, and that a ReadOnly Handler leaves them.
func TestRecoverStrays(t *testing.T) {
	dir, kept := t.TempDir(), filepath.Join(t.TempDir(), "strays")
	fsys, err := local.Open(dir)
	must(t, err)
	defer fsys.Close()
	must(t, os.WriteFile(filepath.Join(dir, ".davd-x"), nil, 0o600))
	strays, err := storage.OpenStrays(kept)
	must(t, err)
	strays.Note("", ".davd-x")
	strays.Note("", ".davd-never")
	must(t, strays.Close())
	strays, err = storage.OpenStrays(kept)
	must(t, err)
	defer strays.Close()
	h := &dav.Handler{FileSystem: fsys, Journal: strayJournal{emptyJournal{}, strays}, ReadOnly: true}
	if recovered, err := h.Recover(t.Context()); err != nil || recovered != nil {
		t.Errorf("read-only: %v, error %v", recovered, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, ".davd-x")); err != nil {
		t.Error(err)
	}
	h.ReadOnly = false
	recovered, err := h.Recover(t.Context())
	if err != nil || len(recovered) != 1 || recovered[0].Entry.Method != http.MethodPut || recovered[0].Entry.Source != "/.davd-x" ||
		recovered[0].Result != tree.Undone || recovered[0].Err != nil {
		t.Errorf("recovered %+v, error %v", recovered, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}
