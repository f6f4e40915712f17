package sqlstate

import (
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/uploads"
)

func TestUploads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openAt(t, path)
	storagetest.RunUploads(t, db, func() uploads.Store {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return openAt(t, path)
	})
}
