package storage

import "io/fs"

// Named returns info with another name. Use it for a file that was renamed after it was
// described, or for the target of a symbolic link of that name.
func Named(info fs.FileInfo, name string) fs.FileInfo { return named{info, name} }

type named struct {
	fs.FileInfo
	name string
}

// Name implements fs.FileInfo.
func (n named) Name() string { return n.name }
