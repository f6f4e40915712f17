package storage

import (
	"context"
	"io/fs"
	"iter"
)

// CopyMembers waits once, plus once for each member.
func (s *slowFS) CopyMembers(ctx context.Context, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error] {
	batch, ok := s.fsys.(BatchCopier)
	if !ok {
		return copyEach(ctx, s, src, dst, members, wrote)
	}
	return func(yield func(string, error) bool) {
		// If ctx ends during a wait, the batch reports that for each member.
		_ = s.wait(ctx)
		for i := range members {
			_ = s.wait(ctx)
			for name, err := range batch.CopyMembers(ctx, src, dst, members[i:i+1], wrote) {
				if !yield(name, err) {
					return
				}
			}
		}
	}
}

// Exchange doesn't wait if the backend has no Exchanger.
func (s *slowFS) Exchange(ctx context.Context, a, b string) error {
	if _, ok := s.fsys.(Exchanger); ok {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	return Exchange(ctx, s.fsys, a, b)
}

// CopyLink doesn't wait if the backend has no LinkCopier.
func (s *slowFS) CopyLink(ctx context.Context, src, dst string) error {
	if _, ok := s.fsys.(LinkCopier); ok {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	return CopyLink(ctx, s.fsys, src, dst)
}
