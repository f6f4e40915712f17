package storagetest

import (
	"context"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// WholeTrees returns fsys as a storage that can copy and remove whole trees. It must have no
// symbolic links.
func WholeTrees(fsys storage.FS) storage.FS { return &wholeTrees{&Fault{FS: fsys}} }

type wholeTrees struct{ *Fault }

// CopyTree implements storage.TreeCopier.
func (w *wholeTrees) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	info, err := w.FS.Stat(ctx, c.From)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	bytes := int64(0)
	if info.IsDir() {
		err = w.copyCollection(ctx, c)
	} else {
		bytes = info.Size()
		err = w.copyFile(ctx, c, info)
	}
	if err == nil && c.Copied != nil {
		err = c.Copied(1, bytes)
	}
	if err != nil {
		return err
	}
	return storage.SetTimes(ctx, w.FS, c.To, info.ModTime())
}

func (w *wholeTrees) copyFile(ctx context.Context, c storage.TreeCopying, info fs.FileInfo) error {
	for _, err := range storage.CopyMembers(ctx, w.FS, storage.Copying{
		From: path.Dir(c.From), To: path.Dir(c.To), As: path.Base(c.To), Members: []fs.FileInfo{info},
	}) {
		return err
	}
	return ctx.Err()
}

func (w *wholeTrees) copyCollection(ctx context.Context, c storage.TreeCopying) error {
	if err := w.FS.Mkdir(ctx, c.To, 0o777); err != nil || c.ZeroDepth {
		return err
	}
	for member, err := range storage.ReadDir(ctx, w.FS, c.From) {
		if err != nil {
			return err
		}
		if storage.Reserved(member.Name()) {
			continue
		}
		each := storage.TreeCopying{From: path.Join(c.From, member.Name()), To: path.Join(c.To, member.Name()), Copied: c.Copied}
		if err := w.CopyTree(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// RemoveTree implements storage.TreeRemover.
func (w *wholeTrees) RemoveTree(ctx context.Context, name string) error {
	if storage.Clean(name) == "/" {
		return &fs.PathError{Op: "removetree", Path: name, Err: fs.ErrInvalid}
	}
	gone := storage.Beside(name)
	if err := w.FS.Rename(ctx, name, gone); err != nil {
		return err
	}
	return w.FS.RemoveAll(context.WithoutCancel(ctx), gone)
}
