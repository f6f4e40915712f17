package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

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
	source, destination, err := f.keysOfEntry(ctx, *e)
	if err != nil {
		return false, err
	}
	if e.Properties, err = props.Any(ctx, source); err != nil {
		return false, err
	}
	follows = e.Properties
	if !follows && destination != "" {
		if follows, err = props.Any(ctx, destination); err != nil {
			return false, err
		}
	}
	locks, err := f.lockedIn(ctx, *e, source, destination)
	if err != nil || !follows && locks == 0 {
		return false, err
	}
	return true, f.secure(ctx, source, destination, locks)
}

// keysOfEntry returns the keys of the source and the destination of e, which are
// canonical names. Those of what is gone are the same as before.
func (f *follower) keysOfEntry(ctx context.Context, e tree.Entry) (source, destination string, err error) {
	at, err := f.place(ctx, e.Source, false)
	if err != nil || e.Destination == "" {
		return at.key, "", err
	}
	to, err := f.place(ctx, e.Destination, false)
	return at.key, to.key, err
}

// lockedIn returns how many locks have their root in what e changes, which has the keys
// source and destination. A plain LockSystem forgets all at a restart.
func (f *follower) lockedIn(ctx context.Context, e tree.Entry, source, destination string) (n int, err error) {
	for _, name := range []string{source, destination} {
		if name == "" || name == source && e.Method == methodCopy {
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
	source, destination, err := f.keysOfEntry(ctx, e)
	if err != nil {
		return err
	}
	if e.Method == http.MethodDelete {
		return f.removed(ctx, e.Source, source, whole)
	}
	// Locks on what was below the destination end with it; one on the destination
	// itself goes on. A source that is not wholly removed keeps its own.
	err = f.claim.locks.releaseRooted(ctx, destination, func(root string) bool { return root != destination })
	f.changedMembers(ctx, e.Destination)
	if e.Method != "MOVE" || !whole {
		return errors.Join(err, f.properties().Copy(ctx, source, destination, e.ZeroDepth))
	}
	f.changedMembers(ctx, e.Source)
	return errors.Join(err, f.moved(ctx, e, source, destination), f.claim.locks.releaseTree(ctx, source, f.claim.used))
}

// moved moves the properties, once: the second time there would be none to move.
func (f *follower) moved(ctx context.Context, e tree.Entry, source, destination string) error {
	props := f.properties()
	if e.Properties {
		if left, err := props.Any(ctx, source); err != nil || !left {
			return err
		}
	}
	return props.Move(ctx, source, destination)
}

// removed ends the locks of what is gone (RFC 4918 §9.6.1). The properties of a
// member that is gone end when something is made in its place, or with its
// collection.
func (f *follower) removed(ctx context.Context, name, key string, whole bool) error {
	if whole {
		f.changedMembers(ctx, name)
		return errors.Join(f.properties().Remove(ctx, key), f.claim.locks.releaseTree(ctx, key, f.claim.used))
	}
	at, err := f.place(ctx, name, false)
	if err != nil || at.canon.Folds || at.canon.Key != at.name() {
		return err // What a folded key is called is not known: its lock expires.
	}
	return f.claim.locks.releaseRooted(ctx, key, func(root string) bool {
		_, err := storage.Lstat(ctx, f.FileSystem, path.Join(name, strings.TrimPrefix(root, key)))
		return errors.Is(err, fs.ErrNotExist)
	})
}
