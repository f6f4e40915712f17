package objectfs

import (
	"io/fs"
	"path"
	"time"

	"github.com/davd/davd/storage/objectfs/names"
)

// info describes a node. It is its own Sys, which implements storage.Facts.
type info struct {
	names.Node
	name   string
	device uint64
}

// info describes a node that was found as name.
func (f *FS) info(node names.Node, name string) fs.FileInfo {
	return &info{Node: node, name: path.Base(name), device: f.device}
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.Node.Size }
func (i *info) ModTime() time.Time { return i.Modified }
func (i *info) IsDir() bool        { return i.Dir }
func (i *info) Sys() any           { return (*facts)(i) }

func (i *info) Mode() fs.FileMode {
	mode := fs.FileMode(i.Perm).Perm()
	if i.Dir {
		mode |= fs.ModeDir
	}
	return mode
}

// facts implements storage.Facts.
type facts info

func (f *facts) Identity() (device, inode uint64) { return f.device, uint64(f.ID) } //nolint:gosec // any bits will do
func (f *facts) Changed() int64                   { return f.Node.Changed.UnixNano() }
func (f *facts) BirthTime() time.Time             { return f.Created }
