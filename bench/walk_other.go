//go:build !linux

package main

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// walk lists a tree, asks for the metadata of each member, and counts them.
func walk(dir string) (int, error) {
	members := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			_, err = d.Info()
			members++
		}
		return errors.Join(err)
	})
	return members, err
}
