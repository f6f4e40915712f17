package dav

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// lockForever is the duration of a lock that ends with the request.
const lockForever = -1

// coverage is what a request holds so that nobody else changes the trees that
// it is about to change: the submitted locks, confirmed, and locks of its own
// on all that nobody has locked.
//
// A LockSystem of x/net can't list locks. But it refuses to lock a tree as
// long as something in it is locked, and this is how a locked member is found.
type coverage struct {
	ctx      context.Context //nolint:containedctx // lives as long as confirm
	fsys     storage.FS
	locks    webdav.LockSystem
	now      time.Time
	tokens   []webdav.Condition // submitted
	used     []usedToken
	releases []func()
}

// usedToken is a submitted token and a resource that its lock protects.
type usedToken struct {
	token webdav.Condition
	name  string
}

// release gives everything back, the last first.
func (c *coverage) release() {
	for i := len(c.releases) - 1; i >= 0; i-- {
		c.releases[i]()
	}
	c.releases = nil
}

// trees covers the trees a and, unless it is "", b.
func (c *coverage) trees(a, b string) error {
	token, whole := c.wholeTree(a)
	if other, also := c.wholeTree(b); whole && also && token == other {
		return c.confirm(a, b, token) // one lock can't be confirmed twice
	}
	for _, name := range []string{a, b} {
		if name == "" {
			continue
		}
		if err := c.tree(name); err != nil {
			return err
		}
	}
	return nil
}

// tree covers name and all that is below it.
func (c *coverage) tree(name string) error {
	if token, whole := c.wholeTree(name); whole {
		return c.confirm(name, "", token)
	}
	err := c.lock(name, false)
	if !errors.Is(err, webdav.ErrLocked) || len(c.tokens) == 0 {
		return err
	}
	// Something is locked, here, above or below. One of the submitted tokens
	// may be its.
	if err := c.resource(name); err != nil {
		return err
	}
	info, err := storage.Lstat(c.ctx, c.fsys, name)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !info.IsDir()) {
		return nil
	}
	if err != nil {
		return err
	}
	for member, err := range storage.ReadDir(c.ctx, c.fsys, name) {
		if err == nil {
			err = c.tree(path.Join(name, member.Name()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resource covers name without what is below it.
func (c *coverage) resource(name string) error {
	for _, token := range c.tokens {
		err := c.confirm(name, "", token)
		if !errors.Is(err, webdav.ErrConfirmationFailed) {
			return err
		}
	}
	return c.lock(name, true)
}

// wholeTree returns the submitted token whose lock covers all of the tree
// name: nobody else can have a lock there then.
func (c *coverage) wholeTree(name string) (token webdav.Condition, found bool) {
	for _, token := range c.tokens {
		if name != "" && covers(c.now, c.locks, token, path.Join(name, "any member")) {
			return token, true
		}
	}
	return webdav.Condition{}, false
}

func (c *coverage) confirm(a, b string, token webdav.Condition) error {
	release, err := c.locks.Confirm(c.now, a, b, token)
	if err == nil {
		c.releases = append(c.releases, release)
		c.used = append(c.used, usedToken{token, a})
	}
	return err
}

// lock locks name, or the tree at name, for the length of the request.
func (c *coverage) lock(name string, zeroDepth bool) error {
	token, err := c.locks.Create(c.now, webdav.LockDetails{Root: name, Duration: lockForever, ZeroDepth: zeroDepth})
	if err == nil {
		c.releases = append(c.releases, func() {
			_ = c.locks.Unlock(time.Now(), token) // it is ours and can't have expired
		})
	}
	return err
}
