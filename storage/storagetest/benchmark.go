package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/storage"
)

// BenchmarkFS measures the calls that davd makes most often, on the storage that newFS
// returns. ReadDir lists 1,000 members; Read and Write use 4 KiB, CopyMember 16 MiB, and
// Truncate and ReplaceFile 1 KiB.
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
		{"CopyMember", benchmarkCopy},
		{"BirthTime", benchmarkBirthTime},
		{"Truncate", func(b *testing.B, fsys storage.FS) { benchmarkPut(b, fsys, truncated) }},
		{"ReplaceFile", func(b *testing.B, fsys storage.FS) { benchmarkPut(b, fsys, replaced) }},
		{"ReplaceFileNew", benchmarkReplaceFileNew},
	} {
		b.Run(bench.name, func(b *testing.B) { bench.run(b, newFS(b)) })
	}
}

const (
	benchFile = 4 << 10  // bytes
	benchCopy = 16 << 20 // bytes
	benchDir  = 1000     // members
	benchPut  = 1 << 10  // bytes
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

func benchmarkCopy(b *testing.B, fsys storage.FS) {
	b.Helper()
	writeFile(b, fsys, "/src", string(noise(benchCopy)))
	b.SetBytes(benchCopy)
	for b.Loop() {
		if err := copyFile(b.Context(), fsys, "/src", "/dst", nil); err != nil {
			b.Fatal(err)
		}
		if err := storage.Remove(b.Context(), fsys, "/dst"); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkBirthTime(b *testing.B, fsys storage.FS) {
	b.Helper()
	WriteTree(b, fsys, Tree{"/a": collection, "/a/b": collection, "/a/b/file": "x"})
	for b.Loop() {
		info, err := fsys.Stat(b.Context(), "/a/b/file")
		if err != nil {
			b.Fatal(err)
		}
		if storage.Born(info).IsZero() {
			b.Skip("this backend doesn't know the birth time")
		}
	}
}

// benchmarkPut gives files new content, first from one goroutine and then from several,
// each with its own files.
func benchmarkPut(b *testing.B, fsys storage.FS, put func(ctx context.Context, fsys storage.FS, name string, content []byte) error) {
	b.Helper()
	content := noise(benchPut)
	b.Run("serial", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := put(b.Context(), fsys, fmt.Sprintf("/%d", n%100), content); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		var goroutines atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			worker := goroutines.Add(1)
			for n := 0; pb.Next(); n++ {
				if err := put(b.Context(), fsys, fmt.Sprintf("/%d-%d", worker, n%100), content); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func truncated(ctx context.Context, fsys storage.FS, name string, content []byte) error {
	file, err := fsys.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

func replaced(ctx context.Context, fsys storage.FS, name string, content []byte) error {
	r, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	if _, err = r.Write(content); err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(ctx, storage.Placing{})
	return err
}

func benchmarkReplaceFileNew(b *testing.B, fsys storage.FS) {
	b.Helper()
	content := noise(benchPut)
	for b.Loop() {
		if err := replaced(b.Context(), fsys, "/file", content); err != nil {
			b.Fatal(err)
		}
		if err := storage.Remove(b.Context(), fsys, "/file"); err != nil {
			b.Fatal(err)
		}
	}
}
