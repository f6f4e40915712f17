package storagetest

import (
	"context"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Refuser is a storage.FS that refuses every call with fs.ErrPermission. It decorates FS but
// forwards no capability, so nothing may ever call FS.
type Refuser struct{ Inner storage.FS }

// Mkdir refuses to create a collection.
func (Refuser) Mkdir(_ context.Context, name string, _ fs.FileMode) error {
	return refused("mkdir", name)
}

// OpenFile refuses to open a file.
func (Refuser) OpenFile(_ context.Context, name string, _ int, _ fs.FileMode) (storage.File, error) {
	return nil, refused("open", name)
}

// RemoveAll refuses to remove anything.
func (Refuser) RemoveAll(_ context.Context, name string) error { return refused("removeall", name) }

// Rename refuses to rename anything.
func (Refuser) Rename(_ context.Context, oldName, _ string) error { return refused("rename", oldName) }

// Stat refuses to describe anything.
func (Refuser) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	return nil, refused("stat", name)
}

func refused(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
}
