// Package junk deals with the files that operating systems leave in every collection that
// they show: "._" files and .DS_Store of macOS, Thumbs.db and desktop.ini of Windows.
//
// An [FS] is a decorator of a whole backend, usually of one share. It never deletes anything
// by itself, and operations on whole trees treat junk like all other files: a COPY or MOVE of
// a collection takes its junk along, and a DELETE removes it. So a collection that looks empty
// can be removed.
package junk

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
)

var _ interface {
	storage.Canonicaler
	storage.Copier
	storage.CopyReceiver
	storage.DeadPropsReader
	storage.FileReplacer
	storage.Holder
	storage.Lister
	storage.Lstater
	storage.Pinner
	storage.Rationer
	storage.ReadOpener
	storage.RemovalChecker
	storage.Remover
	storage.RenameReceiver
	storage.Renamer
	storage.ShownLister
	storage.Spacer
	storage.TimeSetter
	storage.Transactor
	storage.TreeCopier
	storage.TreeRemover
} = (*FS)(nil)

// Mode says what happens with junk.
type Mode string

// These are the values of [Mode].
const (
	// Keep treats junk like all other files.
	Keep Mode = "keep"
	// Hide leaves junk out of listings that clients see. Clients can create, read and
	// remove it by name, so the system that needs it doesn't notice.
	Hide Mode = "hide"
	// Refuse also refuses to create or replace junk by name (fs.ErrPermission). Some
	// clients show an error then.
	Refuse Mode = "refuse"
)

// Is reports whether the last segment of name is that of a junk file. Case doesn't matter.
func Is(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	if strings.HasPrefix(base, "._") {
		return true
	}
	return strings.EqualFold(base, ".DS_Store") || strings.EqualFold(base, "Thumbs.db") || strings.EqualFold(base, "desktop.ini")
}

// FS is an FS that hides or refuses junk.
type FS struct {
	intercept.Through
	refuse bool
}

// New returns fsys with the mode. For [Keep] and "" it returns fsys itself.
func New(fsys storage.FS, mode Mode) storage.FS {
	if mode != Hide && mode != Refuse {
		return fsys
	}
	return &FS{Through: intercept.Through{FS: fsys}, refuse: mode == Refuse}
}

// refuses reports whether name must not be created. The members of a tree that is built under
// a reserved name are not refused.
func (f *FS) refuses(name string) bool {
	return f.refuse && Is(name) && !storage.Reserved(path.Dir(name))
}

func refused(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
}

// Mkdir creates the collection name.
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if f.refuses(name) {
		return refused("mkdir", name)
	}
	return f.FS.Mkdir(ctx, name, perm)
}

// OpenFile opens name. It refuses to create or empty junk.
func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 && f.refuses(name) {
		return nil, refused("open", name)
	}
	return f.FS.OpenFile(ctx, name, flag, perm)
}

// ReplaceFile starts a new version of the file name.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if f.refuses(name) {
		return nil, refused("replacefile", name)
	}
	return storage.ReplaceFile(ctx, f.FS, name, r)
}

// Rename renames oldName to newName.
func (f *FS) Rename(ctx context.Context, oldName, newName string) error {
	return f.RenameWith(ctx, storage.Renaming{Old: oldName, New: newName})
}

// RenameWith renames or swaps two names.
func (f *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	if r.Into == nil && (f.refuses(r.New) || r.Swap && f.refuses(r.Old)) {
		return r.Failed(fs.ErrPermission)
	}
	return storage.RenameWith(ctx, f.FS, r)
}

// ReceiveRename renames a file or a tree of the FS from into this one.
func (f *FS) ReceiveRename(ctx context.Context, from storage.FS, r storage.Renaming) error {
	if f.refuses(r.New) {
		return r.Failed(fs.ErrPermission)
	}
	r.Into = f.FS
	return storage.RenameWith(ctx, from, r)
}

// CopyMembers copies members of a collection.
func (f *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	if c.Into == nil || c.Into == storage.FS(f) {
		c.Into = nil
		return f.copyMembers(ctx, f.FS, c)
	}
	return storage.CopyMembers(ctx, f.FS, c)
}

// ReceiveMembers copies members of a collection of the FS from into this one.
func (f *FS) ReceiveMembers(ctx context.Context, from storage.FS, c storage.Copying) iter.Seq2[string, error] {
	c.Into = f.FS
	return f.copyMembers(ctx, from, c)
}

func (f *FS) copyMembers(ctx context.Context, from storage.FS, c storage.Copying) iter.Seq2[string, error] {
	var bad, good []fs.FileInfo
	for _, member := range c.Members {
		if f.refuses(c.Target(member)) {
			bad = append(bad, member)
		} else {
			good = append(good, member)
		}
	}
	if len(bad) == 0 {
		return storage.CopyMembers(ctx, from, c)
	}
	c.Members = good
	return func(yield func(string, error) bool) {
		for _, member := range bad {
			if !yield(member.Name(), refused("copy", c.Target(member))) {
				return
			}
		}
		for name, err := range storage.CopyMembers(ctx, from, c) {
			if !yield(name, err) {
				return
			}
		}
	}
}

// ListShown opens the collection name and leaves out junk.
func (f *FS) ListShown(ctx context.Context, name string) (storage.Listing, error) {
	l, err := storage.ListShown(ctx, f.FS, name)
	if err != nil {
		return nil, err
	}
	return listing{l}, nil
}

type listing struct{ storage.Listing }

func (l listing) Next(ctx context.Context) (storage.Members, error) {
	found, err := l.Listing.Next(ctx)
	if found == nil {
		return nil, err
	}
	return members{found}, err
}

type members struct{ storage.Members }

func (m members) Describe(ctx context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	start := len(dst)
	dst = m.Members.Describe(ctx, from, to, dst)
	kept := dst[:start]
	for _, entry := range dst[start:] {
		if !Is(entry.Name) || isCollection(entry) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// isCollection reports whether entry is a collection. Collections are never junk, because
// their members would be invisible too.
func isCollection(entry storage.Entry) bool { return entry.Info != nil && entry.Info.IsDir() }

// The other methods forward.

// Rationed forwards.
func (f *FS) Rationed(ctx context.Context, name string) bool {
	return storage.Rationed(ctx, f.FS, name)
}

// Space forwards.
func (f *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	return storage.Space(ctx, f.FS, name)
}

// RemoveMembers forwards.
func (f *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return storage.RemoveMembers(ctx, f.FS, name, members)
}

// CopyTree forwards. Nothing is refused in the copy, which has a reserved name.
func (f *FS) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	return storage.CopyTree(ctx, f.FS, c)
}

// RemoveTree forwards.
func (f *FS) RemoveTree(ctx context.Context, name string) error {
	return storage.RemoveTree(ctx, f.FS, name)
}

// Transacts forwards.
func (f *FS) Transacts(ctx context.Context, name string, state any) bool {
	return storage.Transacts(ctx, f.FS, name, state)
}

// Hold forwards.
func (f *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	return storage.Hold(ctx, f.FS, name)
}
