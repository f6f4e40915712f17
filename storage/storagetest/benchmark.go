package storagetest

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/davd/davd/storage"
)

// BenchmarkFS measures the calls that davd makes most on the storage that
// newFS makes. ReadDir is of 1,000 members, Read and Write of 4 KiB, CopyFile of
// 16 MiB.
func BenchmarkFS(b *testing.B, newFS func(b *testing.B) storage.FS) {
	b.Helper()
	for _, bench := range []struct {
		name string
		run  func(b *testing.B, fsys storage.FS)
	}{
		{"Stat", benchmarkStat},
		{"Read", benchmarkRead},
		{"Write", benchmarkWrite},
		{"Rename", benchmarkRename},
		{"ReadDir", benchmarkReadDir},
		{"CopyFile", benchmarkCopyFile},
	} {
		b.Run(bench.name, func(b *testing.B) { bench.run(b, newFS(b)) })
	}
}

const (
	benchFile = 4 << 10  // bytes
	benchCopy = 16 << 20 // bytes
	benchDir  = 1000     // members
)

func benchmarkStat(b *testing.B, fsys storage.FS) {
	b.Helper()
	WriteTree(b, fsys, Tree{"/a": collection, "/a/b": collection, "/a/b/file": "x"})
	for b.Loop() {
		if _, err := fsys.Stat(b.Context(), "/a/b/file"); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRead(b *testing.B, fsys storage.FS) {
	b.Helper()
	writeFile(b, fsys, "/file", string(noise(benchFile)))
	buf := make([]byte, benchFile)
	b.SetBytes(benchFile)
	for b.Loop() {
		file, err := fsys.OpenFile(b.Context(), "/file", os.O_RDONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(file, buf); err != nil {
			b.Fatal(err)
		}
		closeFile(b, file)
	}
}

func benchmarkWrite(b *testing.B, fsys storage.FS) {
	b.Helper()
	content := string(noise(benchFile))
	b.SetBytes(benchFile)
	for n := 0; b.Loop(); n++ {
		writeFile(b, fsys, fmt.Sprintf("/%d", n%benchDir), content)
	}
}

func benchmarkRename(b *testing.B, fsys storage.FS) {
	b.Helper()
	writeFile(b, fsys, "/0", "x")
	for n := 0; b.Loop(); n++ {
		if err := fsys.Rename(b.Context(), fmt.Sprintf("/%d", n%2), fmt.Sprintf("/%d", (n+1)%2)); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkReadDir(b *testing.B, fsys storage.FS) {
	b.Helper()
	for i := range benchDir {
		writeFile(b, fsys, fmt.Sprintf("/%d", i), "x")
	}
	for b.Loop() {
		n := 0
		for _, err := range storage.ReadDir(b.Context(), fsys, "/") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != benchDir {
			b.Fatalf("%d members, want %d", n, benchDir)
		}
	}
}

func benchmarkCopyFile(b *testing.B, fsys storage.FS) {
	b.Helper()
	writeFile(b, fsys, "/src", string(noise(benchCopy)))
	b.SetBytes(benchCopy)
	for b.Loop() {
		if err := storage.CopyFile(b.Context(), fsys, "/src", "/dst", 0o666, nil); err != nil {
			b.Fatal(err)
		}
		if err := storage.Remove(b.Context(), fsys, "/dst"); err != nil {
			b.Fatal(err)
		}
	}
}
