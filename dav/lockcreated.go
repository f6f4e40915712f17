package dav

import (
	"context"
	"io/fs"
	"sync"
)

// maxCreatedFiles is how many files createdFiles knows.
const maxCreatedFiles = 10_000

// createdFiles are the empty files that LOCK requests have made (RFC 4918 §7.3), by
// their lock tokens. The first PUT to such a file is answered as if the file had not
// existed: to its client it didn't. The record is for that status alone, so it is
// in memory, and a file that isn't in it is an old one.
type createdFiles struct {
	mu      sync.Mutex
	byToken map[string]createdFile
}

// createdFile tells a file that LOCK made from what has taken its place.
type createdFile struct{ name, etag string }

// note remembers that the LOCK that granted token has made the file name.
func (c *createdFiles) note(ctx context.Context, token, name string, info fs.FileInfo) {
	made := createdFile{name, entityTag(ctx, info)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byToken == nil {
		c.byToken = make(map[string]createdFile)
	}
	for other := range c.byToken { // locks that expired leave their files here
		if len(c.byToken) < maxCreatedFiles {
			break
		}
		delete(c.byToken, other)
	}
	c.byToken[token] = made
}

// take reports whether info describes the file name as the LOCK that granted one of
// tokens has made it. It forgets the file, which has its first content now.
func (c *createdFiles) take(ctx context.Context, tokens []string, name string, info fs.FileInfo) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, token := range tokens {
		made, known := c.byToken[token]
		if known && made.name == name {
			delete(c.byToken, token)
			return made.etag == entityTag(ctx, info)
		}
	}
	return false
}

// forget forgets the file of a lock that has ended.
func (c *createdFiles) forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byToken, token)
}
