package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
)

const (
	kib = 1 << 10
	mib = 1 << 20

	manyName  = "many"      // 10,000 files of 16 KiB in 100 collections
	listName  = "list"      // 100,000 empty files in 1,000 collections
	flatName  = "flat"      // 20,000 empty files in one
	bigName   = "big.bin"   // 512 MiB
	smallName = "small.txt" // 1 KiB

	bigSize = 512 * mib
)

var (
	many   = layout{collections: 100, files: 100, size: 16 * kib}
	list1k = layout{collections: 1000, files: 100}
)

// layout is a tree of collections of files.
type layout struct{ collections, files, size int }

// members is the number of a tree's members, its root included.
func (l layout) members() int { return 1 + l.collections + l.collections*l.files }

// plant makes what of the share's names the works read.
func plant(p *place, works []*work) error {
	planters := map[string]func() error{
		manyName:  func() error { return many.plant(p.in(manyName)) },
		listName:  func() error { return list1k.plant(p.in(listName)) },
		flatName:  func() error { return plantFiles(p.in(flatName), 20_000, nil) },
		bigName:   func() error { return plantBig(p.in(bigName)) },
		smallName: func() error { return os.WriteFile(p.in(smallName), content(0, kib), 0o600) },
	}
	for _, name := range append(readNames(works), smallName) {
		if _, err := os.Lstat(p.in(name)); err == nil {
			continue
		}
		if err := errors.Join(planters[name](), p.owner.giveTree(p.in(name))); err != nil {
			return err
		}
	}
	return syncFilesystem(p.share)
}

// readNames are the names in the share that works read.
func readNames(works []*work) []string {
	var names []string
	for _, w := range works {
		names = append(names, w.reads...)
	}
	return names
}

func (l layout) plant(dir string) error {
	for c := range l.collections {
		if err := plantFiles(filepath.Join(dir, fmt.Sprintf("c%04d", c)), l.files, func(f int) []byte {
			return content(c*l.files+f, l.size)
		}); err != nil {
			return err
		}
	}
	return nil
}

// plantFiles makes n files in a new directory; without content they are empty.
func plantFiles(dir string, n int, content func(int) []byte) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for f := range n {
		var data []byte
		if content != nil {
			data = content(f)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d.txt", f)), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// content is that of the file number n: unlike any other's, and no holes.
func content(n, size int) []byte {
	data := bytes.Repeat([]byte("davd and its peers, side by side\n"), size/33+1)[:size]
	copy(data, fmt.Sprintf("%010d\n", n))
	return data
}

func plantBig(name string) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for i := range bigSize / mib {
		if _, err := file.Write(content(i, mib)); err != nil {
			return err
		}
	}
	return file.Close()
}

// checkTree wants dir to be a copy of the tree src: every name, every size, and
// the content of one file in a hundred.
func checkTree(src, dir string, want layout) error {
	count := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		count++
		if d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() != int64(want.size) {
			return &wrongError{fmt.Sprintf("a file of %d bytes", info.Size())}
		}
		if src == "" || count%100 != 0 {
			return nil
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		return sameContent(filepath.Join(src, below), name)
	})
	if err != nil {
		return err
	}
	if count != want.members() {
		return &wrongError{fmt.Sprintf("%s of %s members", thousands(int64(count)), thousands(int64(want.members())))}
	}
	return nil
}

func sameContent(a, b string) error {
	x, err := os.ReadFile(a)
	if err != nil {
		return err
	}
	y, err := os.ReadFile(b)
	if err == nil && !bytes.Equal(x, y) {
		err = &wrongError{"another content"}
	}
	return err
}

// checkBig wants name to be a copy of the big file: its size, and 64 blocks.
func checkBig(big, name string) error {
	a, err := os.Open(big)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(name)
	if err != nil {
		return err
	}
	defer b.Close()
	info, err := b.Stat()
	if err != nil {
		return err
	}
	if info.Size() != bigSize {
		return &wrongError{fmt.Sprintf("%d of %d bytes", info.Size(), bigSize)}
	}
	x, y := make([]byte, 4*kib), make([]byte, 4*kib)
	for range 64 {
		at := rand.Int64N(bigSize/mib) * mib //nolint:gosec // any block will do
		_, errA := a.ReadAt(x, at)
		_, errB := b.ReadAt(y, at)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !bytes.Equal(x, y) {
			return &wrongError{"another content"}
		}
	}
	return nil
}

// copyTree copies a layout's tree with so many threads, by the kernel.
func copyTree(src, dst string, threads int) error {
	collections, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dst, 0o750); err != nil {
		return err
	}
	names := make(chan string)
	errs := make([]error, threads)
	var copiers sync.WaitGroup
	for i := range threads {
		copiers.Go(func() {
			for name := range names {
				if errs[i] == nil {
					errs[i] = copyFiles(filepath.Join(src, name), filepath.Join(dst, name))
				}
			}
		})
	}
	for _, c := range collections {
		names <- c.Name()
	}
	close(names)
	copiers.Wait()
	return errors.Join(errs...)
}

// copyFiles copies a directory of files.
func copyFiles(src, dst string) error {
	files, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dst, 0o750); err != nil {
		return err
	}
	for _, f := range files {
		if err := copyFile(filepath.Join(src, f.Name()), filepath.Join(dst, f.Name())); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(src, dst string) error {
	from, err := os.Open(src)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from) // copy_file_range(2), on Linux
	return errors.Join(err, to.Close())
}
