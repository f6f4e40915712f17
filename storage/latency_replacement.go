package storage

import (
	"context"
	"errors"
	"io/fs"
)

// slowReplacement is a Replacement of a slowFS. Discard doesn't wait.
type slowReplacement struct {
	Replacement
	slow *slowFS
}

func (s *slowFS) ReplaceFile(ctx context.Context, name string, r Replacing) (Replacement, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	begun, err := ReplaceFile(ctx, s.fsys, name, r)
	if err != nil {
		return nil, err
	}
	return slowReplacement{Replacement: begun, slow: s}, nil
}

// Write waits without a context, so the wait can't fail.
func (r slowReplacement) Write(p []byte) (int, error) {
	_ = r.slow.wait(context.Background())
	return r.Replacement.Write(p)
}

func (r slowReplacement) Commit(ctx context.Context, p Placing) (fs.FileInfo, error) {
	if err := r.slow.wait(ctx); err != nil {
		return nil, errors.Join(err, r.Discard())
	}
	return r.Replacement.Commit(ctx, p)
}
