package storage

import "io/fs"

// Named returns info under another name: of a file that has been renamed since it
// was described, or of what a symbolic link of that name leads to.
func Named(info fs.FileInfo, name string) fs.FileInfo { return named{info, name} }

type named struct {
	fs.FileInfo
	name string
}

// Name implements fs.FileInfo.
func (n named) Name() string { return n.name }
