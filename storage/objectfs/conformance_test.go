package objectfs_test

import (
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			db := kind.database(t)
			suite := storagetest.Suite{WholeTrees: true, New: func(t *testing.T) storage.FS {
				t.Helper()
				return newSite(t, db, kind.objects(t))
			}}
			if kind.name == "PostgreSQLS3" && !sweep.All() {
				// The other checks depend on the names alone, which are the same as above.
				suite.Tiers = []storagetest.Tier{storagetest.Capability}
			}
			suite.Run(t)
		})
	}
}
