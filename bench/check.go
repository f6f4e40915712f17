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

// checkBig wants name to have the first bytes of the file big: so many, and the
// content of 64 blocks.
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
			return &wrongError{"another content"}
		}
	}
	return nil
}

func gone(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return &wrongError{"it is still there"}
	}
	return nil
}

// wrongError is a result that is not what the work asks for.
type wrongError struct{ what string }

func (e *wrongError) Error() string { return e.what }
