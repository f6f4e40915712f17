package local

import (
	"testing"

	"golang.org/x/sys/unix"
)

// NeverClones reports whether f takes the filesystem of the directory dir for
// one on which files don't share blocks.
func (f *FS) NeverClones(t *testing.T, dir string) bool {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		t.Fatal(err)
	}
	_, never := f.noClone.Load([2]uint64{stat.Dev, stat.Dev})
	return never
}
