package storagetest

import (
	"context"
	"encoding/xml"
	"io/fs"
	"iter"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
)

// Fault is a storage.FS that makes chosen calls fail or wait, or counts them. It has all
// capabilities of the underlying FS.
//
// If Before is not nil, it is called before every call. If it returns an error, Fault returns
// that error instead of making the call; but it closes a file or a listing and discards a
// replacement all the same. Before may block. Several goroutines may call it at once. See
// intercept.Before for op and name, with these differences: list is called open, next is called
// readdir and exchanged is called exchange; describe and hold don't exist.
type Fault struct {
	storage.FS
	Before func(op, name string) error
}

func (f *Fault) calls() storage.FS {
	return intercept.New(f.FS, func(_ context.Context, op, name string) error {
		switch op {
		case "list":
			op = "open"
		case "next":
			op = "readdir"
		case "exchanged":
			op = "exchange"
		case "describe", "hold":
			return nil
		}
		if f.Before == nil {
			return nil
		}
		return f.Before(op, name)
	})
}

// Mkdir implements storage.FS, like the methods below.
func (f *Fault) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return f.calls().Mkdir(ctx, name, perm)
}

// OpenFile opens name.
func (f *Fault) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	return f.calls().OpenFile(ctx, name, flag, perm)
}

// RemoveAll removes name and everything below it.
func (f *Fault) RemoveAll(ctx context.Context, name string) error {
	return f.calls().RemoveAll(ctx, name)
}

// Rename renames oldName.
func (f *Fault) Rename(ctx context.Context, oldName, newName string) error {
	return f.calls().Rename(ctx, oldName, newName)
}

// Stat describes name.
func (f *Fault) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return f.calls().Stat(ctx, name)
}

// Lstat implements a capability, like the methods below.
func (f *Fault) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return storage.Lstat(ctx, f.calls(), name)
}

// List implements storage.Lister.
func (f *Fault) List(ctx context.Context, name string) (storage.Listing, error) {
	return storage.List(ctx, f.calls(), name)
}

// Canonical implements storage.Canonicaler.
func (f *Fault) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	return storage.Canonical(ctx, f.calls(), name, follow)
}

// SetTimes implements storage.TimeSetter.
func (f *Fault) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return storage.SetTimes(ctx, f.calls(), name, modified)
}

// ReadDeadProps implements storage.DeadPropsReader.
func (f *Fault) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	return storage.ReadDeadProps(ctx, f.calls(), name)
}

// ReplaceFile implements storage.FileReplacer.
func (f *Fault) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	return storage.ReplaceFile(ctx, f.calls(), name, r)
}

// Space implements storage.Spacer.
func (f *Fault) Space(ctx context.Context, name string) (used, available int64, err error) {
	return storage.Space(ctx, f.calls(), name)
}

// RenameWith implements storage.Renamer.
func (f *Fault) RenameWith(ctx context.Context, r storage.Renaming) error {
	if other, ok := r.Into.(*Fault); ok {
		r.Into = other.FS
	}
	return storage.RenameWith(ctx, f.calls(), r)
}

// CopyMembers implements storage.Copier.
func (f *Fault) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	if other, ok := c.Into.(*Fault); ok {
		c.Into = other.FS
	}
	return storage.CopyMembers(ctx, f.calls(), c)
}

// ReceiveMembers implements storage.CopyReceiver.
func (f *Fault) ReceiveMembers(ctx context.Context, from storage.FS, c storage.Copying) iter.Seq2[string, error] {
	c.Into = f.calls()
	return storage.CopyMembers(ctx, from, c)
}

// CheckRemoval implements storage.RemovalChecker.
func (f *Fault) CheckRemoval(ctx context.Context, name string) error {
	return storage.CheckRemoval(ctx, f.FS, name)
}

// Pin implements storage.Pinner.
func (f *Fault) Pin(ctx context.Context) (pinned context.Context, release func()) {
	return storage.Pin(ctx, f.FS)
}

// RemoveMembers implements storage.Remover.
func (f *Fault) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return storage.RemoveMembers(ctx, f.calls(), name, members)
}

// CopyTree implements storage.TreeCopier.
func (f *Fault) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	return storage.CopyTree(ctx, f.calls(), c)
}

// RemoveTree implements storage.TreeRemover.
func (f *Fault) RemoveTree(ctx context.Context, name string) error {
	return storage.RemoveTree(ctx, f.calls(), name)
}

// Transacts implements storage.Transactor.
func (f *Fault) Transacts(ctx context.Context, name string, state any) bool {
	return storage.Transacts(ctx, f.FS, name, state)
}

// Part implements storage.Divider.
func (f *Fault) Part(ctx context.Context, name string) string { return storage.Part(ctx, f.FS, name) }

// Hold implements storage.Holder.
func (f *Fault) Hold(ctx context.Context, name string) (storage.Held, error) {
	return storage.Hold(ctx, f.calls(), name)
}
