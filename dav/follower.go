package dav

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

// engine returns the engine that copies, moves and removes the trees that c has
// claimed. The claim must be held to the end, because until then the Journal has a
// record of the change.
//
// places are those of the source and the destination, if the caller knows them.
func (h *Handler) engine(c *claim, places ...place.Place) tree.Engine {
	e := tree.Engine{
		FS: h.FileSystem, Names: h.journalNames(), Follower: &follower{Handler: h, claim: c, places: places},
		CopyLinks: h.CopyLinks, Workers: h.workers(), Client: c.client,
	}
	if c.brief() {
		e.Transaction = c.shared.transaction()
	} else {
		e.Journal, e.Fence, e.Persist = c.shared.journal(h.journal()), c.shared.fence(), h.persist(c)
	}
	return e
}

// workers returns the Workers of this handler.
func (h *Handler) workers() *tree.Workers {
	if h.Workers != nil {
		return h.Workers
	}
	return &h.kept().ownWorkers
}

// follower makes dead properties and locks follow the resources (RFC 4918 §7.6, §9.6.1,
// §9.8.2, §9.9.1).
type follower struct {
	*Handler
	claim  *claim
	places []place.Place
}

// Prepare implements tree.Follower.
func (f *follower) Prepare(ctx context.Context, e *tree.Entry) (follows bool, err error) {
	f.claim.entry, f.claim.entries = e.ID, &f.shared().entries
	f.claim.entries.Store(e.ID, true)
	props := f.properties(ctx)
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
	// The room is reserved until the claim is released.
	release, err := deadprops.Secure(ctx, props, source, destination, locks)
	if err == nil {
		f.claim.secured = release
	}
	return true, err
}

// keysOfEntry returns the keys of the source and the destination of e, whose names are
// canonical. A resource that is gone still has the same key.
func (f *follower) keysOfEntry(ctx context.Context, e tree.Entry) (source, destination string, err error) {
	source, err = f.keyOf(ctx, e.Source)
	if err != nil || e.Destination == "" {
		return source, "", err
	}
	destination, err = f.keyOf(ctx, e.Destination)
	return source, destination, err
}

// keyOf returns the key of the canonical name.
func (f *follower) keyOf(ctx context.Context, name string) (string, error) {
	for _, p := range f.places {
		if p.Name == name {
			return p.Key, nil
		}
	}
	at, err := f.names().Place(ctx, name, false)
	return at.Key, err
}

// lockedIn returns how many locks have their root in a tree that e changes; source and
// destination are the keys of e. It is 0 for a plain LockSystem, which forgets all its
// locks at a restart.
func (f *follower) lockedIn(ctx context.Context, e tree.Entry, source, destination string) (n int, err error) {
	for _, name := range []string{source, destination} {
		if name == "" || name == source && e.Method == methodCopy {
			continue
		}
		found, err := f.claim.locks.Rooted(ctx, name)
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
	// Locks below the destination end with the resources there. A lock on the destination
	// itself continues. If part of the source remains, it keeps its locks.
	err = f.claim.locks.ReleaseRooted(ctx, destination, func(root string) bool { return root != destination })
	f.changedMembers(ctx, f.claim, e.Destination)
	if e.Method != "MOVE" || !whole {
		return errors.Join(err, f.properties(ctx).Copy(ctx, source, destination, e.ZeroDepth))
	}
	f.changedMembers(ctx, f.claim, e.Source)
	err = errors.Join(err, f.uploadsMoved(ctx, e.Source, e.Destination))
	return errors.Join(err, f.moved(ctx, e, source, destination), f.claim.locks.ReleaseTree(ctx, source, f.claim.used))
}

// moved moves the properties if they haven't been moved before. A second Move would
// find none and lose them.
func (f *follower) moved(ctx context.Context, e tree.Entry, source, destination string) error {
	props := f.properties(ctx)
	if e.Properties {
		if left, err := props.Any(ctx, source); err != nil || !left {
			return err
		}
	}
	return props.Move(ctx, source, destination)
}

// removed ends the locks of removed resources (RFC 4918 §9.6.1). The properties of a
// removed member stay until a new resource takes its name, or until its collection is
// removed.
func (f *follower) removed(ctx context.Context, name, key string, whole bool) error {
	if whole {
		f.changedMembers(ctx, f.claim, name)
		return errors.Join(f.properties(ctx).Remove(ctx, key), f.claim.locks.ReleaseTree(ctx, key, f.claim.used))
	}
	at, err := f.names().Place(ctx, name, false)
	if err != nil || at.Folds || at.Key != at.Name {
		return err // a folded key doesn't tell the resource's name, so its lock stays until it expires
	}
	return f.claim.locks.ReleaseRooted(ctx, key, func(root string) bool {
		_, err := storage.Lstat(ctx, f.FileSystem, path.Join(name, strings.TrimPrefix(root, key)))
		return errors.Is(err, fs.ErrNotExist)
	})
}

// Once a COPY, MOVE or DELETE has changed the share, the properties, locks and journal
// must follow. Room for them was reserved before (deadprops.Securer), so a full disk
// does not make them fail. But a disk can break, and another program can take the
// room. Then the operation waits and tries again. Meanwhile it keeps its claim, so
// that nothing can contradict its record in the journal, and sends no answer, so that
// no answer is untrue. If the process ends first, the record is still in the journal
// and Recover completes the operation.

const (
	// firstPersistPause is the pause after the first attempt. Each further pause is
	// twice as long, up to lastPersistPause.
	firstPersistPause = 10 * time.Millisecond
	lastPersistPause  = 5 * time.Second
	// persistNotice is the number of failed attempts between two log messages. The
	// first attempt that fails is always logged.
	persistNotice = 12
)

// persist returns a function that waits between two attempts to write the state of the
// operation with the claim c. The function returns false to give up, when the Handler
// shuts down. The names stay claimed even then.
func (h *Handler) persist(c *claim) func(attempt int, err error) bool {
	return func(attempt int, err error) bool {
		if c.shared.lost() || errors.Is(err, cluster.ErrFenced) {
			return false // Another node completes the operation.
		}
		if attempt%persistNotice == 0 && h.OperationLogger != nil && c.about != nil {
			h.OperationLogger(c.about(), fmt.Errorf("the share has changed, but the server can't write its state and keeps trying: %w", err))
		}
		pause := min(firstPersistPause<<min(attempt, 16), lastPersistPause)
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-h.registry().Halting():
			c.hold = &operation.Hold{} // releasing an empty hold leaves the names claimed
			return false
		}
	}
}
