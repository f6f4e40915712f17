// Package share knows what clients can get at in a directory that is served.
package share

import (
	"os"
	"path/filepath"
)

// Holds reports whether path is dir or inside of it, by its name or by where
// that leads. What is not there yet counts by the directory that it would be in.
func Holds(dir, path string) (bool, error) {
	root, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	named, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	// By its name too: a client can replace a link that leads out.
	return above(root, named) || above(root, resolve(named)), nil
}

// above compares files, not names: these may differ in case, or by a mount.
func above(root os.FileInfo, path string) bool {
	for {
		if info, err := os.Stat(path); err == nil && os.SameFile(root, info) {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
}

// resolve follows the symbolic links of what is there of path.
func resolve(path string) string {
	for {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			return resolved
		}
		parent := filepath.Dir(path)
		if parent == path {
			return path
		}
		path = parent
	}
}
