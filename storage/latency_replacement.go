package storage

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// slowReplacement is a Replacement of a slowFS. Discard costs nothing.
type slowReplacement struct {
	Replacement
	slow *slowFS
}

func (s *slowFS) ReplaceFile(ctx context.Context, name string, perm fs.FileMode) (Replacement, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	r, err := ReplaceFile(ctx, s.fsys, name, perm)
	if err != nil {
		return nil, err
	}
	return slowReplacement{Replacement: r, slow: s}, nil
}

// Write's wait can't fail: it has no context.
func (r slowReplacement) Write(p []byte) (int, error) {
	_ = r.slow.wait(context.Background())
	return r.Replacement.Write(p)
}

func (r slowReplacement) Commit(ctx context.Context, modified time.Time, create bool) (fs.FileInfo, error) {
	if err := r.slow.wait(ctx); err != nil {
		return nil, errors.Join(err, r.Discard())
	}
	return r.Replacement.Commit(ctx, modified, create)
}
