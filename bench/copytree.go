package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// copyTree copies the tree of a layout with this number of threads. The kernel copies the
// contents.
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
