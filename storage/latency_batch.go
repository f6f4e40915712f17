package storage

import (
	"context"
	"io/fs"
	"iter"
)

// CopyMembers waits once, and once more for each member.
func (s *slowFS) CopyMembers(ctx context.Context, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error] {
	batch, ok := s.fsys.(BatchCopier)
	if !ok {
		return copyEach(ctx, s, src, dst, members, wrote)
	}
	return func(yield func(string, error) bool) {
		// When ctx ends in one of the waits, the batch says so of each member.
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

// Exchange does not wait for a backend that has none.
func (s *slowFS) Exchange(ctx context.Context, a, b string) error {
	if _, ok := s.fsys.(Exchanger); ok {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	return Exchange(ctx, s.fsys, a, b)
}

// CopyLink does not wait for a backend that copies none.
func (s *slowFS) CopyLink(ctx context.Context, src, dst string) error {
	if _, ok := s.fsys.(LinkCopier); ok {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	return CopyLink(ctx, s.fsys, src, dst)
}
