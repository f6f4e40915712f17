package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// engine copies, moves and removes trees for what has claimed them. The claim
// must be held to the end: until then, a record of it is in the Journal.
func (h *Handler) engine(c *claim) tree.Engine {
	return tree.Engine{
		FS: h.FileSystem, Journal: h.Journal, Follower: &follower{Handler: h, claim: c},
		CopyLinks: h.CopyLinks, Persist: h.persist(c),
	}
}

// follower lets dead properties and locks follow the resources (RFC 4918 §7.6,
// §9.6.1, §9.8.2, §9.9.1).
type follower struct {
	*Handler
	claim *claim
}

// Prepare implements tree.Follower.
func (f *follower) Prepare(ctx context.Context, e *tree.Entry) (follows bool, err error) {
	props := f.properties()
	if e.Properties, err = props.Any(ctx, e.Source); err != nil {
		return false, err
	}
	follows = e.Properties
	if !follows && e.Destination != "" {
		if follows, err = props.Any(ctx, e.Destination); err != nil {
			return false, err
		}
	}
	locks, err := f.lockedIn(ctx, e)
	if err != nil || !follows && locks == 0 {
		return false, err
	}
	return true, f.secure(ctx, e, locks)
}

// lockedIn returns how many locks have their root in what e changes. A plain
// LockSystem forgets all at a restart.
func (f *follower) lockedIn(ctx context.Context, e *tree.Entry) (n int, err error) {
	for _, name := range []string{e.Source, e.Destination} {
		if name == "" || name == e.Source && e.Method == "COPY" {
			continue
		}
		found, err := f.claim.locks.rooted(ctx, name)
		if err != nil {
			return 0, err
		}
		n += len(found)
	}
	return n, nil
}

// Follow implements tree.Follower.
func (f *follower) Follow(ctx context.Context, e tree.Entry, whole bool) error {
	if e.Method == http.MethodDelete {
		return f.removed(ctx, e.Source, whole)
	}
	// Locks on what was below the destination end with it; one on the destination
	// itself goes on. A source that is not wholly removed keeps its own.
	err := f.claim.locks.releaseRooted(ctx, e.Destination, func(root string) bool { return root != e.Destination })
	f.changedMembers(ctx, e.Destination)
	if e.Method != "MOVE" || !whole {
		return errors.Join(err, f.properties().Copy(ctx, e.Source, e.Destination, e.ZeroDepth))
	}
	f.changedMembers(ctx, e.Source)
	return errors.Join(err, f.moved(ctx, e), f.claim.locks.releaseTree(ctx, e.Source, f.claim.used))
}

// moved moves the properties, once: the second time there would be none to move.
func (f *follower) moved(ctx context.Context, e tree.Entry) error {
	props := f.properties()
	if e.Properties {
		if left, err := props.Any(ctx, e.Source); err != nil || !left {
			return err
		}
	}
	return props.Move(ctx, e.Source, e.Destination)
}

// removed ends the locks of what is gone (RFC 4918 §9.6.1). The properties of a
// member that is gone end when something is made in its place, or with its
// collection.
func (f *follower) removed(ctx context.Context, name string, whole bool) error {
	if whole {
		f.changedMembers(ctx, name)
		return errors.Join(f.properties().Remove(ctx, name), f.claim.locks.releaseTree(ctx, name, f.claim.used))
	}
	return f.claim.locks.releaseRooted(ctx, name, func(root string) bool {
		_, err := storage.Lstat(ctx, f.FileSystem, root)
		return errors.Is(err, fs.ErrNotExist)
	})
}
