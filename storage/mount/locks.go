package mount

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// locks are those of a name space.
type locks struct {
	lock.Manager
	of *FS

	// acquiring makes the search for conflicts in several shares and the grant one step. A search
	// in several shares holds it shared: no lock is granted between its parts.
	acquiring sync.RWMutex
}

// Any reports whether any lock may exist.
func (l *locks) Any() bool {
	knows, ok := l.Manager.(interface{ Any() bool })
	return !ok || knows.Any()
}

// refused is the error for a lock on a name that belongs to no share.
func refused(name string) error {
	return &fs.PathError{Op: "lock", Path: name, Err: fs.ErrPermission}
}

// own returns a lock with its root in the name space. ok is false if that doesn't exist there.
func own(t *table, is lock.Lock) (lock.Lock, bool) {
	root, ok := t.out(is.Root)
	is.Root = root
	return is, ok
}

// owns returns locks with their roots in the name space, without those whose roots don't exist.
func owns(t *table, found []lock.Lock) []lock.Lock {
	kept := found[:0]
	for _, each := range found {
		if is, ok := own(t, each); ok {
			kept = append(kept, is)
		}
	}
	return kept
}

// Acquire implements lock.Manager, like the methods below.
func (l *locks) Acquire(ctx context.Context, now time.Time, wanted lock.Lock) (lock.Lock, error) {
	t := l.of.current(ctx)
	inState, ok := l.of.Names().In(ctx, wanted.Root)
	if !ok {
		return lock.Lock{}, refused(wanted.Root)
	}
	around, inside := t.around(wanted.Root), t.inside(wanted.Root, "")
	if len(around)+len(inside) > 0 {
		l.acquiring.Lock()
		defer l.acquiring.Unlock()
		if err := l.conflict(ctx, now, wanted); err != nil {
			return lock.Lock{}, err
		}
	}
	wanted.Root = inState
	granted, err := l.Manager.Acquire(ctx, now, wanted)
	if conflict, ok := errors.AsType[*lock.ConflictError](err); ok {
		conflict = &lock.ConflictError{Locks: owns(t, slices.Clone(conflict.Locks))}
		if len(conflict.Locks) == 0 {
			return lock.Lock{}, webdav.ErrLocked // by a lock that can't be seen now
		}
		return lock.Lock{}, conflict
	}
	if err != nil {
		return lock.Lock{}, err
	}
	granted, _ = own(t, granted)
	return granted, nil
}

// conflict returns an error if a lock in any share conflicts with wanted.
func (l *locks) conflict(ctx context.Context, now time.Time, wanted lock.Lock) error {
	found, err := l.findLocked(ctx, now, wanted.Root, !wanted.ZeroDepth)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(each lock.Lock) bool { return each.Shared && wanted.Shared })
	if len(found) > 0 {
		return &lock.ConflictError{Locks: found}
	}
	return nil
}

// elsewhere returns the locks on name that are kept in the shares around its own and, with tree,
// those in the shares below it.
func (l *locks) elsewhere(ctx context.Context, t *table, now time.Time, name string, tree bool) (found []lock.Lock, err error) {
	for _, inState := range t.around(name) {
		some, err := l.Manager.Find(ctx, now, inState, false)
		if err != nil {
			return nil, err
		}
		found = append(found, owns(t, some)...)
	}
	if !tree {
		return found, nil
	}
	for _, share := range t.inside(name, "") {
		some, err := l.Manager.Find(ctx, now, share.inState, true)
		if err != nil {
			return nil, err
		}
		found = append(found, owns(t, some)...)
	}
	return found, nil
}

func (l *locks) Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (lock.Lock, error) {
	renewed, err := l.Manager.Renew(ctx, now, token, duration)
	if err != nil {
		return lock.Lock{}, err
	}
	if is, ok := own(l.of.current(ctx), renewed); ok {
		return is, nil
	}
	return lock.Lock{}, webdav.ErrNoSuchLock
}

func (l *locks) ReleaseTree(ctx context.Context, now time.Time, name string) error {
	var all []error
	if inState, ok := l.of.Names().In(ctx, name); ok {
		all = append(all, l.Manager.ReleaseTree(ctx, now, inState))
	}
	for _, share := range l.of.current(ctx).inside(name, "") {
		all = append(all, l.Manager.ReleaseTree(ctx, now, share.inState))
	}
	return errors.Join(all...)
}

func (l *locks) Find(ctx context.Context, now time.Time, name string, tree bool) (found []lock.Lock, err error) {
	if t := l.of.current(ctx); len(t.around(name)) > 0 || tree && len(t.inside(name, "")) > 0 {
		l.acquiring.RLock()
		defer l.acquiring.RUnlock()
	}
	return l.findLocked(ctx, now, name, tree)
}

// findLocked is Find. If it searches in several shares, the caller holds l.acquiring.
func (l *locks) findLocked(ctx context.Context, now time.Time, name string, tree bool) (found []lock.Lock, err error) {
	t := l.of.current(ctx)
	if inState, ok := l.of.Names().In(ctx, name); ok {
		if found, err = l.Manager.Find(ctx, now, inState, tree); err != nil {
			return nil, err
		}
		found = owns(t, found)
	}
	others, err := l.elsewhere(ctx, t, now, name, tree)
	if err != nil || len(others) == 0 {
		return found, err
	}
	found = append(found, others...)
	slices.SortStableFunc(found, func(a, b lock.Lock) int {
		return cmp.Or(cmp.Compare(a.Root, b.Root), a.Created.Compare(b.Created))
	})
	return found, nil
}

// Create implements webdav.LockSystem, like the methods below.
func (l *locks) Create(now time.Time, details webdav.LockDetails) (token string, err error) {
	ctx := context.Background()
	t, root := l.of.current(ctx), storage.Clean(details.Root)
	inState, ok := l.of.Names().In(ctx, root)
	if !ok {
		return "", refused(root)
	}
	if len(t.around(root))+len(t.inside(root, "")) > 0 {
		l.acquiring.Lock()
		defer l.acquiring.Unlock()
		if err := l.conflict(ctx, now, lock.Lock{Root: root, ZeroDepth: details.ZeroDepth}); errors.Is(err, webdav.ErrLocked) {
			return "", webdav.ErrLocked // x/net compares with ==
		} else if err != nil {
			return "", err
		}
	}
	details.Root = inState
	return l.Manager.Create(now, details)
}

func (l *locks) Refresh(now time.Time, token string, duration time.Duration) (webdav.LockDetails, error) {
	details, err := l.Manager.Refresh(now, token, duration)
	if err != nil {
		return details, err
	}
	root, ok := l.of.Names().Out(context.Background(), details.Root)
	if !ok {
		return webdav.LockDetails{}, webdav.ErrNoSuchLock
	}
	details.Root = root
	return details, nil
}

// Confirm implements webdav.LockSystem. A name is also confirmed by a lock of a share around its
// own.
func (l *locks) Confirm(now time.Time, name0, name1 string, conditions ...webdav.Condition) (release func(), err error) {
	err = webdav.ErrConfirmationFailed
	for _, first := range l.keptIn(name0) {
		for _, second := range l.keptIn(name1) {
			if release, err = l.Manager.Confirm(now, first, second, conditions...); err == nil {
				return release, nil
			}
		}
	}
	return nil, err
}

// keptIn returns the names in the state under which a lock on name may be kept. For "", which
// means no name, it returns "".
func (l *locks) keptIn(name string) (inState []string) {
	if name == "" {
		return []string{""}
	}
	ctx := context.Background()
	name = storage.Clean(name)
	if own, ok := l.of.Names().In(ctx, name); ok {
		inState = append(inState, own)
	}
	return append(inState, l.of.current(ctx).around(name)...)
}
