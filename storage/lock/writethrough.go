package lock

import (
	"context"
	"fmt"
	"slices"
)

// staleBatch is how many expired locks are deleted from the Store together.
const staleBatch = 256

// load fills the index from the Store. If two locks conflict, the older one had expired
// when the newer one was granted. So it has ended, whatever the clock says now.
func (s *System) load(ctx context.Context) error {
	if s.store == nil {
		return nil
	}
	locks, err := s.store.LoadLocks(ctx)
	if err != nil {
		return fmt.Errorf("the locks can't be loaded: %w", err)
	}
	for _, l := range locks {
		for _, e := range s.index.conflicts(l) {
			s.index.remove(e)
			s.stale = append(s.stale, e.lock.Token)
		}
		s.index.insert(&entry{lock: l, kept: true})
	}
	return nil
}

// add saves a new lock. If the Store holds a whole batch of ended locks, they must be
// deleted first, so that the list of them can't grow forever while the Store fails.
func (s *System) add(ctx context.Context, l Lock) error {
	if len(s.stale) >= staleBatch {
		if err := s.forget(ctx); err != nil {
			return err
		}
	}
	err := s.save(ctx, l)
	if err != nil {
		s.stale = append(s.stale, l.Token) // The Store may have saved it all the same.
	}
	return err
}

func (s *System) save(ctx context.Context, l Lock) error {
	if err := s.store.SaveLock(ctx, l); err != nil {
		return fmt.Errorf("the lock of %s can't be saved: %w", l.Root, err)
	}
	return nil
}

// forget deletes the tokens from the Store, and at no further cost a batch of stale
// ones.
func (s *System) forget(ctx context.Context, tokens ...string) error {
	batch := min(len(s.stale), staleBatch)
	if err := s.store.DeleteLocks(ctx, append(tokens, s.stale[:batch]...)...); err != nil {
		return fmt.Errorf("ended locks can't be deleted: %w", err)
	}
	s.stale = slices.Delete(s.stale, 0, batch)
	return nil
}
