package aferofs

import (
	"io/fs"
	"time"
)

// info is a snapshot of a backend's fs.FileInfo, which may change together with its
// file.
type info struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
	sys      any
}

// snapshot returns what from reports now, with the given name.
func snapshot(from fs.FileInfo, name string) fs.FileInfo {
	mode := from.Mode()
	if from.IsDir() {
		mode |= fs.ModeDir
	}
	return info{name: name, size: from.Size(), mode: mode, modified: from.ModTime(), sys: from.Sys()}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.modified }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return i.sys }
