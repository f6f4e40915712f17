package objectfs_test

import (
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

func BenchmarkFS(b *testing.B) {
	for _, kind := range kinds() {
		b.Run(kind.name, func(b *testing.B) {
			db := kind.database(b)
			storagetest.BenchmarkFS(b, func(b *testing.B) storage.FS {
				b.Helper()
				return newSite(b, db, kind.objects(b))
			})
		})
	}
}
