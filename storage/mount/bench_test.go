package mount_test

import (
	"os"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// BenchmarkStat compares a share with its directory alone.
func BenchmarkStat(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		b.Fatal(err)
	}
	alone, err := local.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer alone.Close()
	shared := newFS(b, directory("a", "/some/a", dir), directory("b", "/b", dir))
	for _, c := range []struct {
		name, file string
		fsys       storage.FS
	}{{"directory", "/file", alone}, {"share", "/some/a/file", shared}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.fsys.Stat(b.Context(), c.file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
