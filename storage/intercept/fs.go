// Package intercept contains a decorator of any storage.FS that sees all its calls, and can
// make them wait or fail.
package intercept

import (
	"context"
	"encoding/xml"
	"io/fs"
	"iter"
	"path"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// FS is a storage.FS with all capabilities of another one. Before is called before each
// call of the FS and of its files, listings and replacements, but not if the other FS lacks
// the capability. If Before returns an error, the call isn't made and returns that error;
// but it closes a file or a listing and discards a replacement all the same.
//
// op says which call it is:
//
//   - of the FS: mkdir, open, removeall, rename, stat, lstat, list, canonical, remove,
//     settimes, readdeadprops, replacefile, space, exchange, exchanged, copymembers, hold
//     or identity;
//   - of a file: read, write, seek, close, readdir, stat, deadprops or patch;
//   - of a listing: next, describe for each member, or close;
//   - of a replacement: write, commit or discard.
//
// name is the name that the FS was called with: for rename the old name, for copymembers
// and remove that of each member. An exchange of two names, and a rename to another FS, is
// an exchange of the old name and exchanged of the new one. If the other FS is not a storage.FileReplacer or not a storage.Copier, the fallback makes its
// calls one by one. Before may be called by several goroutines at once. The ctx of a call
// of a file never ends.
type FS struct {
	FS     storage.FS
	Before func(ctx context.Context, op, name string) error
}

// Mkdir implements storage.FS, like the methods below.
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return f.does(ctx, "mkdir", name, func() error { return f.FS.Mkdir(ctx, name, perm) })
}

func (f *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	file, err := do(ctx, f, "open", name, func() (storage.File, error) { return f.FS.OpenFile(ctx, name, flag, perm) })
	if err != nil {
		return nil, err
	}
	return newFile(file, f, name), nil
}

func (f *FS) RemoveAll(ctx context.Context, name string) error {
	return f.does(ctx, "removeall", name, func() error { return f.FS.RemoveAll(ctx, name) })
}

func (f *FS) Rename(ctx context.Context, oldName, newName string) error {
	return f.does(ctx, "rename", oldName, func() error { return f.FS.Rename(ctx, oldName, newName) })
}

func (f *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return do(ctx, f, "stat", name, func() (fs.FileInfo, error) { return f.FS.Stat(ctx, name) })
}

// Lstat implements a capability, like the methods below.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return do(ctx, f, "lstat", name, func() (fs.FileInfo, error) { return storage.Lstat(ctx, f.FS, name) })
}

func (f *FS) List(ctx context.Context, name string) (storage.Listing, error) {
	l, err := do(ctx, f, "list", name, func() (storage.Listing, error) { return storage.List(ctx, f.FS, name) })
	if err != nil {
		return nil, err
	}
	return listing{Listing: l, calls: calls{f, name}}, nil
}

func (f *FS) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	if err := beforeIf[storage.Canonicaler](ctx, f, "canonical", name); err != nil {
		return storage.Canon{}, err
	}
	return storage.Canonical(ctx, f.FS, name, follow)
}

func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return f.does(ctx, "settimes", name, func() error { return storage.SetTimes(ctx, f.FS, name, modified) })
}

func (f *FS) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	return do(ctx, f, "readdeadprops", name, func() (map[xml.Name]webdav.Property, error) { return storage.ReadDeadProps(ctx, f.FS, name) })
}

func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if _, ok := f.FS.(storage.FileReplacer); !ok {
		return storage.StageFile(ctx, f, name, r)
	}
	begun, err := do(ctx, f, "replacefile", name, func() (storage.Replacement, error) { return storage.ReplaceFile(ctx, f.FS, name, r) })
	if err != nil {
		return nil, err
	}
	return replacement{Replacement: begun, calls: calls{f, name}}, nil
}

func (f *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	if err := beforeIf[storage.Spacer](ctx, f, "space", name); err != nil {
		return 0, 0, err
	}
	return storage.Space(ctx, f.FS, name)
}

func (f *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	if r.Into == nil && !r.Swap {
		return f.Rename(ctx, r.Old, r.New)
	}
	err := beforeIf[storage.Renamer](ctx, f, "exchange", r.Old)
	if err == nil {
		err = beforeIf[storage.Renamer](ctx, f, "exchanged", r.New)
	}
	if err != nil {
		return err
	}
	r.Into = inner(r.Into)
	return storage.RenameWith(ctx, f.FS, r)
}

func (f *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	if _, ok := f.FS.(storage.Copier); !ok {
		return storage.CopyEach(ctx, f, c)
	}
	c.Into = inner(c.Into)
	members := c.Members
	return func(yield func(string, error) bool) {
		for i, member := range members {
			err := f.before(ctx, "copymembers", c.Source(member))
			if err == nil {
				c.Members = members[i : i+1]
				err = first(storage.CopyMembers(ctx, f.FS, c))
			}
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

func (f *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i, member := range members {
			err := f.before(ctx, "remove", path.Join(name, member))
			if err == nil {
				err = first(storage.RemoveMembers(ctx, f.FS, name, members[i:i+1]))
			}
			if !yield(member, err) {
				return
			}
		}
	}
}

func (f *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	return do(ctx, f, "hold", name, func() (storage.Held, error) { return storage.Hold(ctx, f.FS, name) })
}

func (f *FS) Identity(ctx context.Context, name string) (string, error) {
	return do(ctx, f, "identity", name, func() (string, error) { return storage.Identity(ctx, f.FS, name) })
}
