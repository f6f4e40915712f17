package local

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/strays"
)

var _ strays.Sweeper = (*FS)(nil)

// errOtherRoot says that a noted file may still exist, although it is not found here.
var errOtherRoot = errors.New("the share is not the same directory as before: if its disk is not mounted, mount it and start davd again")

// Sweep removes the stages that a dead process left behind. From then on, the FS notes its
// own stages in file. Sweep removes only files with reserved names. It finds stages in
// collections that this FS has renamed, but not in those that another process has renamed.
func (f *FS) Sweep(ctx context.Context, file *strays.File) ([]strays.Swept, error) {
	root, err := f.identify()
	if err != nil {
		return nil, err
	}
	swept, err := f.sweep(ctx, root, file.Left())
	if err == nil {
		f.strays, f.mark = file, root
	}
	return swept, err
}

// SweepNotes removes the stages of dead processes in this directory. Notes of other directories
// have no effect.
func (f *FS) SweepNotes(ctx context.Context, left []strays.Note) ([]strays.Swept, error) {
	root, err := f.identify()
	if err != nil {
		return nil, err
	}
	left = slices.DeleteFunc(slices.Clone(left), func(n strays.Note) bool { return n.Root != root })
	return f.sweep(ctx, root, left)
}

// NoteIn makes the FS note its stages in notes.
func (f *FS) NoteIn(_ context.Context, notes strays.Notes) error {
	root, err := f.identify()
	if err == nil {
		f.strays, f.mark = notes, root
	}
	return err
}

// identify returns what identifies the directory in notes.
func (f *FS) identify() (string, error) {
	info, err := f.byAccess(f.root.Stat, rootName)
	if err != nil {
		return "", f.failed("sweep", "/", err, reading)
	}
	return storage.LastingIdentity(info), nil
}

// sweep removes the stages that left contains. root identifies the directory.
func (f *FS) sweep(ctx context.Context, root string, left []strays.Note) (swept []strays.Swept, err error) {
	for _, stray := range left {
		if err := ctx.Err(); err != nil {
			return swept, err
		}
		found, err := f.removeStray(root, stray)
		if err == nil {
			stray.Forget()
		}
		if found || err != nil {
			swept = append(swept, strays.Swept{Name: virtual(stray.Name), Err: err})
		}
	}
	return swept, nil
}

// removeStray removes the noted file if it exists and has a reserved name. root identifies
// the share.
func (f *FS) removeStray(root string, stray strays.Note) (found bool, err error) {
	if stray.Root != "" && root != "" && stray.Root != root {
		return false, errOtherRoot
	}
	local := stray.Name
	if _, base := splitLast(local); !storage.Reserved("/" + base) {
		return false, nil
	}
	info, err := f.root.Lstat(local)
	if err == nil && !info.Mode().IsRegular() {
		return false, nil
	}
	if err == nil {
		err = f.root.Remove(local)
	}
	err = f.meaning(err, reading)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// note must be called before base is created in the collection that contains local.
func (f *FS) note(local, base string) strays.Note {
	if f.strays == nil {
		return strays.Note{}
	}
	return f.strays.Add(f.mark, join(parent(local), base))
}

// follow must be called before from, which may be a collection, is renamed to the name to
// of into.
func (f *FS) follow(from string, into *FS, to string) {
	if f.strays == nil || into.strays == nil {
		return
	}
	if f.shared {
		// A look at the disk costs less than a note in a state that processes share.
		if info, err := f.root.Lstat(from); err != nil || !info.IsDir() {
			return
		}
	}
	separator := string(filepath.Separator)
	f.strays.Follow(from+separator, into.strays, into.mark, to+separator)
}

// virtual returns the name of local for messages.
func virtual(local string) string {
	if absolute(local) {
		return local
	}
	return path.Join("/", filepath.ToSlash(local))
}
