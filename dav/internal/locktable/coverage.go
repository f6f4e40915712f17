package locktable

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
)

// coverage probes a plain LockSystem, which can't list its locks. It relies on a plain
// LockSystem refusing to lock a tree while something in it is locked: a resource may be
// changed if the probe can lock it, or if the lock of a submitted token covers it.
type coverage struct {
	ctx      context.Context //nolint:containedctx // lives as long as probe
	names    place.Resolver
	locks    webdav.LockSystem
	now      time.Time
	tokens   []webdav.Condition // the ones that the client submitted
	used     []Used
	releases []func()
}

// Used is a submitted token and a resource that its lock protects.
type Used struct {
	token webdav.Condition
	name  string
}

// probe makes sure that each change is covered by a submitted token or touches nothing
// that is locked.
func (l *Table) probe(ctx context.Context, tokens []string, changes []Change) ([]Used, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &coverage{ctx: ctx, names: l.names, locks: l.plain(ctx), now: time.Now()}
	for _, token := range tokens {
		c.tokens = append(c.tokens, webdav.Condition{Token: token})
	}
	for _, each := range changes {
		if err := c.change(each); err != nil {
			return nil, err
		}
	}
	return c.used, nil
}

// change probes one change. It releases everything that it locked, so that one lock can
// cover several changes.
func (c *coverage) change(wanted Change) error {
	defer c.release()
	var err error
	if wanted.Tree {
		err = c.tree(wanted.Place)
	} else {
		err = c.resource(wanted.Key)
	}
	for _, link := range wanted.Links {
		if err == nil {
			c.release()
			err = c.resource(link)
		}
	}
	if err != nil || !wanted.Membership {
		return err
	}
	c.release()
	return c.resource(wanted.Parent())
}

// release releases everything in reverse order.
func (c *coverage) release() {
	for i := len(c.releases) - 1; i >= 0; i-- {
		c.releases[i]()
	}
	c.releases = nil
}

// tree covers p and everything below it.
func (c *coverage) tree(p place.Place) error {
	name := p.Key
	if token, whole := c.wholeTree(name); whole {
		return c.confirm(name, token)
	}
	err := c.lock(name, false)
	if !errors.Is(err, webdav.ErrLocked) || len(c.tokens) == 0 {
		return err
	}
	// Something here, above or below is locked. One of the submitted tokens may be the
	// token of that lock.
	if err := c.resource(name); err != nil {
		return err
	}
	info, err := storage.Lstat(c.ctx, c.names.FS, p.Name)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !info.IsDir()) {
		return nil
	}
	if err != nil {
		return err
	}
	// The target of a link among the members is not part of the tree.
	if p, err = c.names.Place(c.ctx, p.Name, false); err != nil {
		return err
	}
	for member, err := range storage.ReadDir(c.ctx, c.names.FS, p.Name) {
		if err == nil {
			err = c.tree(p.Member(member.Name()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resource covers name but nothing below it.
func (c *coverage) resource(name string) error {
	for _, token := range c.tokens {
		err := c.confirm(name, token)
		if !errors.Is(err, webdav.ErrConfirmationFailed) {
			return err
		}
	}
	return c.lock(name, true)
}

// wholeTree returns the submitted token whose lock covers the whole tree name. No other
// client can hold a lock in that tree.
func (c *coverage) wholeTree(name string) (token webdav.Condition, found bool) {
	for _, token := range c.tokens {
		if confirms(c.now, c.locks, token, path.Join(name, "any member")) {
			return token, true
		}
	}
	return webdav.Condition{}, false
}

// confirms reports whether the lock of token protects name.
func confirms(now time.Time, locks webdav.LockSystem, token webdav.Condition, name string) bool {
	release, err := locks.Confirm(now, name, "", token)
	if err != nil {
		return false
	}
	release()
	return true
}

func (c *coverage) confirm(name string, token webdav.Condition) error {
	release, err := c.locks.Confirm(c.now, name, "", token)
	if err == nil {
		c.releases = append(c.releases, release)
		c.used = append(c.used, Used{token, name})
	}
	return err
}

// lock locks name, or the tree at name, until the end of the probe. Such a lock never expires.
func (c *coverage) lock(name string, zeroDepth bool) error {
	token, err := c.locks.Create(c.now, webdav.LockDetails{Root: name, Duration: -1, ZeroDepth: zeroDepth})
	if err == nil {
		c.releases = append(c.releases, func() {
			_ = c.locks.Unlock(time.Now(), token) // it is our lock and can't have expired
		})
	}
	return err
}
