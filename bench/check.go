package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// checkTree checks that dir is a copy of the tree src. It compares the number of members, all
// sizes, and the content of one file in a hundred unless src is "".
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
		err = &wrongError{"different content"}
	}
	return err
}

// checkBig checks that name has the first size bytes of the file big. It compares the size and
// the content of 64 blocks.
func checkBig(big, name string, size int64) error {
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
	if info.Size() != size {
		return &wrongError{fmt.Sprintf("%d of %d bytes", info.Size(), size)}
	}
	x, y := make([]byte, 4*kib), make([]byte, 4*kib)
	for range 64 {
		at := rand.Int64N(size/mib) * mib //nolint:gosec // any block will do
		_, errA := a.ReadAt(x, at)
		_, errB := b.ReadAt(y, at)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !bytes.Equal(x, y) {
			return &wrongError{"different content"}
		}
	}
	return nil
}

func gone(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return &wrongError{"it still exists"}
	}
	return nil
}

// wrongError means that a server did not do what the work requires.
type wrongError struct{ what string }

func (e *wrongError) Error() string { return e.what }
