package storagetest

import (
	"context"
	"encoding/xml"
	"io/fs"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// Fault is a storage.FS that makes chosen calls fail or wait, or counts them.
//
// If Before is not nil, it is called before every call. If it returns an error, Fault returns
// that error instead of making the call; but it closes a file or a listing and discards a
// replacement all the same. Before may block. Several goroutines may call it at once.
//
// op says which call it is:
//
//   - of the FS: mkdir, open, removeall, rename, stat, lstat, canonical, remove, settimes,
//     readdir, readdeadprops, replacefile, birthtime, space, exchange, copylink or
//     copymembers;
//   - of a file: read, write, seek, close, readdir, stat, deadprops or patch;
//   - of a replacement: write, commit or discard.
//
// name is the name that the FS was called with: for rename the old name, for copylink the
// source. An exchange calls Before for both names.
//
// Some functions of package storage cause several calls. storage.List and storage.ReadDir
// are an open, a readdir for each Next, and a close, whatever the underlying FS does.
// storage.ReplaceFile is one call, or the calls of its fallback if the underlying FS is not a
// storage.FileReplacer. In the same way, storage.CopyMembers is one call or the calls of its
// fallback for each member, with the member's name. storage.CopyFile always consists of calls
// of files, and storage.RemoveMembers of a remove for each member.
type Fault struct {
	storage.FS
	Before func(op, name string) error
}

func (f *Fault) before(op, name string) error {
	if f.Before == nil {
		return nil
	}
	return f.Before(op, name)
}

// Mkdir implements storage.FS.
func (f *Fault) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if err := f.before("mkdir", name); err != nil {
		return err
	}
	return f.FS.Mkdir(ctx, name, perm)
}

// OpenFile implements storage.FS.
func (f *Fault) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	if err := f.before("open", name); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenFile(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f.faultFile(file, name), nil
}

// RemoveAll implements storage.FS.
func (f *Fault) RemoveAll(ctx context.Context, name string) error {
	if err := f.before("removeall", name); err != nil {
		return err
	}
	return f.FS.RemoveAll(ctx, name)
}

// Rename implements storage.FS.
func (f *Fault) Rename(ctx context.Context, oldName, newName string) error {
	if err := f.before("rename", oldName); err != nil {
		return err
	}
	return f.FS.Rename(ctx, oldName, newName)
}

// Stat implements storage.FS.
func (f *Fault) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	if err := f.before("stat", name); err != nil {
		return nil, err
	}
	return f.FS.Stat(ctx, name)
}

// Lstat implements storage.Lstater.
func (f *Fault) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	if err := f.before("lstat", name); err != nil {
		return nil, err
	}
	return storage.Lstat(ctx, f.FS, name)
}

// Canonical implements storage.Canonicaler.
func (f *Fault) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	if err := f.before("canonical", name); err != nil {
		return storage.Canon{}, err
	}
	return storage.Canonical(ctx, f.FS, name, follow)
}

// Remove implements storage.Remover.
func (f *Fault) Remove(ctx context.Context, name string) error {
	if err := f.before("remove", name); err != nil {
		return err
	}
	return storage.Remove(ctx, f.FS, name)
}

// SetTimes implements storage.TimeSetter.
func (f *Fault) SetTimes(ctx context.Context, name string, modified time.Time) error {
	if err := f.before("settimes", name); err != nil {
		return err
	}
	return storage.SetTimes(ctx, f.FS, name, modified)
}

// ReadDeadProps implements storage.DeadPropsReader.
func (f *Fault) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	if err := f.before("readdeadprops", name); err != nil {
		return nil, err
	}
	return storage.ReadDeadProps(ctx, f.FS, name)
}

// BirthTime implements storage.BirthTimer.
func (f *Fault) BirthTime(ctx context.Context, name string) (time.Time, error) {
	if err := f.before("birthtime", name); err != nil {
		return time.Time{}, err
	}
	return storage.BirthTime(ctx, f.FS, name)
}

// Space implements storage.Spacer.
func (f *Fault) Space(ctx context.Context, name string) (used, available int64, err error) {
	if err := f.before("space", name); err != nil {
		return 0, 0, err
	}
	return storage.Space(ctx, f.FS, name)
}

// Hold implements storage.Holder. It doesn't call Before, and what it returns belongs to the
// underlying FS.
func (f *Fault) Hold(ctx context.Context, name string) (storage.Held, error) {
	return storage.Hold(ctx, f.FS, name)
}
