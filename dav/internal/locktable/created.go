package locktable

import (
	"context"
	"io/fs"
	"sync"

	"github.com/davd/davd/dav/internal/place"
)

// maxCreatedFiles is how many files Created remembers.
const maxCreatedFiles = 10_000

// Created remembers the empty files that LOCK requests have created (RFC 4918
// §7.3), by their lock tokens. The first PUT to such a file gets a 201 as if the file
// had not existed, because it didn't exist for the client. Only this status depends on
// the record, so it is only kept in memory. A file that it doesn't know counts as
// existing.
type Created struct {
	mu      sync.Mutex
	byToken map[string]createdFile
}

// createdFile identifies a file that LOCK created, and tells it from a later one.
type createdFile struct{ name, etag string }

// Note remembers that the LOCK that granted token created the file name.
func (c *Created) Note(ctx context.Context, token, name string, info fs.FileInfo) {
	made := createdFile{name, place.EntityTag(ctx, info)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byToken == nil {
		c.byToken = make(map[string]createdFile)
	}
	for other := range c.byToken { // those of expired locks are still here
		if len(c.byToken) < maxCreatedFiles {
			break
		}
		delete(c.byToken, other)
	}
	c.byToken[token] = made
}

// Take reports whether info describes the file name exactly as the LOCK that granted
// one of tokens created it. It forgets the file, which is about to get its first
// content.
func (c *Created) Take(ctx context.Context, tokens []string, name string, info fs.FileInfo) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, token := range tokens {
		made, known := c.byToken[token]
		if known && made.name == name {
			delete(c.byToken, token)
			return made.etag == place.EntityTag(ctx, info)
		}
	}
	return false
}

// Forget forgets the file that was created with a lock that has ended.
func (c *Created) Forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byToken, token)
}
