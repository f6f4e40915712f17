package storage

import "context"

// Sweep waits only once, because no client calls it.
func (s *slowFS) Sweep(ctx context.Context, strays *Strays) ([]Swept, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return Sweep(ctx, s.fsys, strays)
}
