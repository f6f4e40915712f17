//go:build !linux

package main

import (
	"os"
	"testing"
)

// mountFolding makes a plain directory.
func mountFolding(t *testing.T, dir string) (folds bool) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	return false
}
