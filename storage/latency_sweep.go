package storage

import "context"

// Sweep waits once: it is no client's call.
func (s *slowFS) Sweep(ctx context.Context, strays *Strays) ([]Swept, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return Sweep(ctx, s.fsys, strays)
}
