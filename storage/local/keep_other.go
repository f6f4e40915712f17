//go:build !unix

package local

import "io/fs"

// keep has nothing to give where a directory's members have what it has.
func keep(int, fs.FileInfo) error { return nil }
