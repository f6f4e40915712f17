package storage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"time"
)

// Commit implements Replacement.
func (s *staged) Commit(ctx context.Context, p Placing) (fs.FileInfo, error) {
	if s.done {
		return nil, s.failed(fs.ErrClosed)
	}
	p.Modified = Modified(p.Modified)
	old, err := s.ready(ctx, p)
	if err != nil {
		return nil, errors.Join(err, s.Discard())
	}
	info, err := s.commit(ctx, p, old)
	if err != nil {
		return nil, errors.Join(s.failed(err), s.Discard())
	}
	return info, nil
}

// ready checks that the stage may replace the existing file, and returns that file.
func (s *staged) ready(ctx context.Context, p Placing) (fs.FileInfo, error) {
	err := ctx.Err()
	if err == nil {
		err = s.close()
	}
	var old fs.FileInfo
	if err == nil {
		old, err = s.occupant(ctx)
	}
	if err == nil && old != nil && p.Create {
		err = fs.ErrExist
	}
	if err != nil {
		return nil, s.failed(err)
	}
	if p.Check != nil {
		if err := p.Check(target(old)); err != nil {
			return nil, err
		}
	}
	if err := s.base.Check(old); err != nil {
		return nil, s.failed(err)
	}
	return old, nil
}

func (s *staged) commit(ctx context.Context, p Placing, old fs.FileInfo) (fs.FileInfo, error) {
	if old != nil && old.Mode().IsRegular() {
		if err := CopyDeadProps(ctx, s.fsys, s.name, s.fsys, s.stage); err != nil {
			return nil, err
		}
	}
	if err := setTimesIfAny(ctx, s.fsys, s.stage, p.Modified); err != nil {
		return nil, err
	}
	info, err := s.fsys.Stat(ctx, s.stage)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.place(info, p.Modified, old != nil)
}

// place gives the stage, which info describes, its final name. It ignores cancellation.
func (s *staged) place(info fs.FileInfo, modified time.Time, replaces bool) (fs.FileInfo, error) {
	err := s.fsys.Rename(s.ctx, s.stage, s.name)
	if Immovable(err) {
		err = s.copy(modified, replaces)
	} else if err == nil {
		s.done = true // Discard has nothing to remove.
	}
	if err != nil {
		return nil, err
	}
	// The file has its name now, so later errors don't count.
	_ = s.Discard()
	if !replaces {
		_ = SetTimes(s.ctx, s.fsys, path.Dir(s.name), time.Now())
	}
	if now, err := s.fsys.Stat(s.ctx, s.name); err == nil {
		return now, nil
	}
	return Named(info, path.Base(s.name)), nil
}

// copy copies the stage to name, for a backend that can't rename it.
func (s *staged) copy(modified time.Time, replaces bool) error {
	if !replaces {
		err := copyFile(s.ctx, s.fsys, s.stage, s.fsys, s.name, s.perm, nil)
		if err != nil {
			return err
		}
		if err := setTimesIfAny(s.ctx, s.fsys, s.name, modified); err != nil {
			return errors.Join(err, Remove(s.ctx, s.fsys, s.name))
		}
		return nil
	}
	if _, err := copyTo(s.ctx, s.fsys, s.stage, s.fsys, s.name, os.O_TRUNC, 0, nil); err != nil {
		return err
	}
	return setTimesIfAny(s.ctx, s.fsys, s.name, modified)
}
