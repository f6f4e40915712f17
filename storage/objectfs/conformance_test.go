package objectfs_test

import (
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			db := kind.database(t)
			storagetest.TestFS(t, func(t *testing.T) storage.FS {
				t.Helper()
				return newSite(t, db, kind.objects(t))
			})
		})
	}
}
