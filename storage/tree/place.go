package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// place puts the finished tree stage at the destination. It returns the name
// under which what was there is now, "" if there was nothing or it is gone.
// When it fails, the destination is as it was and stage is gone.
func (t *transaction) place(ctx context.Context, stage string) (displaced string, err error) {
	if err := ctx.Err(); err != nil {
		return "", t.rollBack(ctx, err)
	}
	// From here on the operation is as good as done: it is not to be stopped
	// between two renames, nor to leave what it displaced.
	ctx = context.WithoutCancel(ctx)
	b := t.tally.displace()
	info, err := storage.Lstat(ctx, t.FS, stage)
	if err == nil {
		displaced, err = t.put(ctx, stage, info)
	}
	if immovable(err) {
		displaced, err = t.rebuild(ctx)
	}
	if err != nil && !done(err) {
		return "", t.rollBack(ctx, err)
	}
	if displaced == "" {
		t.tally.leave(b)
	}
	return displaced, err
}

// done reports whether err says that the operation has been carried out.
func done(err error) bool {
	var leftover *LeftoverError
	return errors.As(err, &leftover)
}

// put renames from, which info describes, to the destination. It returns the
// name under which what was there is now, "" for nothing. When it fails, both
// are as they were.
func (t *transaction) put(ctx context.Context, from string, info fs.FileInfo) (displaced string, err error) {
	dst := t.entry.Destination
	old, err := storage.Lstat(ctx, t.FS, dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return "", err
	}
	// One step: rename(2) replaces a file, unless both are one file.
	direct := old == nil || !old.IsDir() && !info.IsDir() && !storage.SameFile(old, info)
	// Where nothing else is to be done, a stage that is gone needs no more.
	if !direct || t.follows || t.entry.copied() {
		t.entry.Fresh, t.entry.Old = mark(info), ""
		if old != nil {
			t.entry.Old = mark(old)
		}
		if err := t.advance(ctx, Placing); err != nil {
			return "", err
		}
	}
	if direct {
		return "", t.FS.Rename(ctx, from, dst)
	}
	t.hold(ctx)
	displaced, err = t.exchange(ctx, from)
	if immovable(err) {
		return t.rename(ctx, from)
	}
	return displaced, err
}

// exchange lets from and the destination change places, which is the commit, and
// gives what was displaced a reserved name. A start after a kill must be able to
// tell whether that has happened.
func (t *transaction) exchange(ctx context.Context, from string) (displaced string, err error) {
	e := t.entry
	if e.Fresh == e.Old || e.Fresh == "" || e.Old == "" {
		return "", errors.ErrUnsupported
	}
	if err := storage.Exchange(ctx, t.FS, from, e.Destination); err != nil {
		return "", err
	}
	if e.Stage == "" {
		err = t.FS.Rename(ctx, from, e.Displaced)
		displaced = e.Displaced
	}
	if e.Stage != "" || err != nil {
		displaced = from // It can be removed where it is.
	}
	return displaced, nil
}

// rename gives what is at the destination a reserved name and renames from to
// the destination, which is the commit.
func (t *transaction) rename(ctx context.Context, from string) (displaced string, err error) {
	dst, displaced := t.entry.Destination, t.entry.Displaced
	if err := t.FS.Rename(ctx, dst, displaced); err != nil {
		return "", err
	}
	if err := t.FS.Rename(ctx, from, dst); err != nil {
		if backErr := t.FS.Rename(ctx, displaced, dst); backErr != nil {
			return "", &strandedError{dst: dst, displaced: displaced, err: errors.Join(err, backErr)}
		}
		return "", err
	}
	return displaced, nil
}

// rebuild is put for a backend that can't rename the stage to the destination:
// it removes what is there first. Until it is done the destination is not whole;
// the source that the stage was made from still is, and so is the stage. It
// returns the name of what is to be removed then.
func (t *transaction) rebuild(ctx context.Context) (leftover string, err error) {
	stage, dst := t.entry.Stage, t.entry.Destination
	info, err := t.FS.Stat(ctx, stage)
	if err == nil {
		err = t.advance(ctx, Rebuilding)
	}
	if err != nil {
		return "", err
	}
	if err := t.discardDisplaced(ctx, dst); err != nil {
		return "", err
	}
	// An overlay filesystem refuses to rename what lies in its lower layer,
	// but not what was made since.
	if err := t.FS.Rename(ctx, stage, dst); !immovable(err) {
		return "", err
	}
	c := &copier{ctx: ctx, fsys: t.FS, links: true} // t.mon has counted all this
	err = c.copy(stage, dst, info, Infinite, nil, nil)
	if err == nil {
		err = c.failures.first()
	}
	if err != nil {
		return "", errors.Join(err, discard(ctx, t.FS, dst))
	}
	if err := t.insist(func() error { return t.advance(ctx, Placed) }); err != nil {
		// A stage that is not whole must not be taken for one that is.
		return "", &LeftoverError{Name: stage, Err: err}
	}
	return stage, nil
}
