package local_test

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// benchFiles is how many files BenchmarkCopyMembers copies.
const benchFiles = 1000

// BenchmarkCopyMembers compares CopyMembers with what cp(1) does for each file: open, fstat,
// create, copy_file_range up to the end, close.
func BenchmarkCopyMembers(b *testing.B) {
	for _, size := range []int{0, 1 << 10, 16 << 10, 1 << 20} {
		s := newShare(b)
		storagetest.WriteTree(b, s, storagetest.Tree{"/src": "/"})
		for i := range benchFiles {
			if err := os.WriteFile(s.path("/src/"+strconv.Itoa(i)), bytesOf(size), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		var members []fs.FileInfo
		for i := range benchFiles {
			info, err := s.Lstat(b.Context(), "/src/"+strconv.Itoa(i))
			if err != nil {
				b.Fatal(err)
			}
			members = append(members, info)
		}
		for _, goroutines := range []int{1, 2} {
			for _, bench := range []struct {
				name string
				run  func(b *testing.B, part []fs.FileInfo)
			}{
				{"CopyMembers", func(b *testing.B, part []fs.FileInfo) {
					for _, err := range s.CopyMembers(b.Context(), storage.Copying{From: "/src", To: "/dst", Members: part}) {
						if err != nil {
							b.Error(err)
							return
						}
					}
				}},
				{"cp", func(b *testing.B, part []fs.FileInfo) {
					for _, member := range part {
						if err := plainCopy(s.path("/src"), s.path("/dst"), member.Name()); err != nil {
							b.Error(err)
							return
						}
					}
				}},
			} {
				b.Run(fmt.Sprintf("%d/%s-%d", size, bench.name, goroutines), func(b *testing.B) {
					b.SetBytes(int64(size) * benchFiles)
					for b.Loop() {
						b.StopTimer()
						if err := os.RemoveAll(s.path("/dst")); err != nil {
							b.Fatal(err)
						}
						storagetest.WriteTree(b, s, storagetest.Tree{"/dst": "/"})
						b.StartTimer()
						var wait sync.WaitGroup
						for i := range goroutines {
							wait.Go(func() { bench.run(b, members[i*benchFiles/goroutines:(i+1)*benchFiles/goroutines]) })
						}
						wait.Wait()
					}
				})
			}
		}
		// Make room for the next size.
		if err := os.RemoveAll(s.dir); err != nil {
			b.Fatal(err)
		}
	}
}

func bytesOf(n int) []byte {
	content := make([]byte, n)
	for i := range content {
		content[i] = byte(i) | 1
	}
	return content
}

func plainCopy(src, dst, name string) error {
	in, err := unix.Open(src+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(in)
	var stat unix.Stat_t
	if err := unix.Fstat(in, &stat); err != nil {
		return err
	}
	out, err := unix.Open(dst+"/"+name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, stat.Mode&0o777)
	if err != nil {
		return err
	}
	defer unix.Close(out)
	for {
		n, err := unix.CopyFileRange(in, nil, out, nil, 1<<30, 0)
		if err != nil || n == 0 {
			return err
		}
	}
}
