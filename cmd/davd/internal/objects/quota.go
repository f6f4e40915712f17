package objects

import (
	"context"
	"time"

	"github.com/davd/davd/storage/quota"
)

// Usage returns what the database has counted. Content that is being uploaded isn't part of it.
func (s *Storage) Usage(ctx context.Context) (quota.Usage, error) {
	used, err := s.Names.Usage(ctx)
	return quota.Usage{Used: used, Limit: s.Limit()}, err
}

// Recount adds up the sizes of all files, and corrects the database if it has counted something else.
func (s *Storage) Recount(ctx context.Context) (quota.Count, error) {
	began := time.Now()
	before, now, files, err := s.Names.Recount(ctx)
	return quota.Count{Used: now, Before: before, Files: files, Took: time.Since(began), Err: err}, err
}
