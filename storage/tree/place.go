package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

// place puts the finished tree stage at dst and removes what was there. When
// it fails, dst is as it was and stage is gone.
func place(ctx context.Context, fsys storage.FS, stage, dst string, mon *Monitor) error {
	if err := ctx.Err(); err != nil {
		return errors.Join(err, discard(context.WithoutCancel(ctx), fsys, stage, nil))
	}
	// From here on the operation is as good as done: it is not to be stopped
	// between the two renames, nor to leave what it displaced.
	ctx = context.WithoutCancel(ctx)
	info, err := storage.Lstat(ctx, fsys, stage)
	if err == nil {
		err = replace(ctx, fsys, stage, dst, info, mon)
	}
	if immovable(err) {
		err = rebuild(ctx, fsys, stage, dst, mon)
	}
	if err != nil && !done(err) {
		return errors.Join(err, discard(ctx, fsys, stage, nil))
	}
	return err
}

// done reports whether err says that the operation has been carried out.
func done(err error) bool {
	var leftover *LeftoverError
	return errors.As(err, &leftover)
}

// replace renames src, which info describes, to dst and removes what was
// there. When it fails, both are as they were.
func replace(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	old, err := storage.Lstat(ctx, fsys, dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fsys.Rename(ctx, src, dst)
	case err != nil:
		return err
	case !old.IsDir() && !info.IsDir() && !os.SameFile(old, info):
		// One step: rename(2) replaces a file, unless both are one file.
		return fsys.Rename(ctx, src, dst)
	}
	displaced := storage.Beside(dst)
	if err := fsys.Rename(ctx, dst, displaced); err != nil {
		return err
	}
	if err := fsys.Rename(ctx, src, dst); err != nil {
		if backErr := fsys.Rename(ctx, displaced, dst); backErr != nil {
			return &strandedError{dst: dst, displaced: displaced, err: errors.Join(err, backErr)}
		}
		return err
	}
	if err := discard(ctx, fsys, displaced, mon); err != nil {
		return &LeftoverError{Name: displaced, Err: err}
	}
	return nil
}

// rebuild is replace for a backend that can't rename these two names: it
// removes what is at dst first. Until it is done dst is not whole; the source
// that stage was made from still is.
func rebuild(ctx context.Context, fsys storage.FS, stage, dst string, mon *Monitor) error {
	info, err := fsys.Stat(ctx, stage)
	if err != nil {
		return err
	}
	if err := discard(ctx, fsys, dst, mon); err != nil {
		return err
	}
	// An overlay filesystem refuses to rename what lies in its lower layer,
	// but not what was made since.
	if err := fsys.Rename(ctx, stage, dst); !immovable(err) {
		return err
	}
	c := &copier{ctx: ctx, fsys: fsys} // mon has counted all this
	err = c.copy(stage, dst, info, Infinite, nil)
	if err == nil {
		err = c.failures.first()
	}
	if err != nil {
		return errors.Join(err, discard(ctx, fsys, dst, nil))
	}
	if err := discard(ctx, fsys, stage, nil); err != nil {
		return &LeftoverError{Name: stage, Err: err}
	}
	return nil
}
