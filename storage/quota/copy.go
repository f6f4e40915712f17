package quota

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"github.com/davd/davd/storage"
)

// CopyMembers copies members of a collection.
func (q *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	if c.Into == nil || c.Into == storage.FS(q) {
		return q.ReceiveMembers(ctx, q.FS, c)
	}
	return storage.CopyMembers(ctx, q.FS, c)
}

// ReceiveMembers copies members of a collection of the FS from into this FS. It reserves the
// sizes that describe the members before it copies them. If a member has grown since, its
// copy can exceed the limit for a moment, and is removed again.
func (q *FS) ReceiveMembers(ctx context.Context, from storage.FS, c storage.Copying) iter.Seq2[string, error] {
	c.Into = q.FS
	return func(yield func(string, error) bool) {
		if err := q.ready(ctx); err != nil {
			for _, member := range c.Members {
				if !yield(member.Name(), err) {
					return
				}
			}
			return
		}
		var total int64
		for _, member := range c.Members {
			total += sizeOf(member)
		}
		if q.account.reserve(total) {
			q.copyReserved(ctx, from, c, yield)
			return
		}
		// Perhaps some of them fit.
		members := c.Members
		for i, member := range members {
			if !q.account.reserve(sizeOf(member)) {
				if !yield(member.Name(), exceeded(c.Target(member))) {
					return
				}
				continue
			}
			c.Members = members[i : i+1]
			if !q.copyReserved(ctx, from, c, yield) {
				return
			}
		}
	}
}

// copyReserved copies members whose sizes are reserved. It reports whether the loop goes on.
func (q *FS) copyReserved(ctx context.Context, from storage.FS, c storage.Copying, yield func(string, error) bool) bool {
	done := 0
	q.hide(c)
	defer func() {
		for _, member := range c.Members[done:] {
			q.copied(ctx, c.Target(member), sizeOf(member))
		}
	}()
	for name, err := range storage.CopyMembers(ctx, from, c) {
		member := c.Members[done]
		done++
		target := c.Target(member)
		if over := q.copied(ctx, target, sizeOf(member)); over && err == nil {
			err = errors.Join(exceeded(target), storage.Remove(context.WithoutCancel(ctx), q, target))
		}
		if !yield(name, err) {
			return false
		}
	}
	return true
}

// hide makes walks skip the copies until they are complete.
func (q *FS) hide(c storage.Copying) {
	q.gate.RLock()
	defer q.gate.RUnlock()
	for _, member := range c.Members {
		q.account.hide(c.Target(member))
	}
}

// copied says that the copy target has ended. The call had reserved so many bytes for it.
// copied reports whether the copy has become larger than the limit allows.
func (q *FS) copied(ctx context.Context, target string, reserved int64) (over bool) {
	q.gate.RLock()
	defer q.gate.RUnlock()
	info, err := storage.Lstat(context.WithoutCancel(ctx), q.FS, target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		q.account.placed(target, reserved, reserved) // unknown; probably complete
		return false
	}
	size := int64(0)
	if err == nil {
		size = sizeOf(info)
	}
	over = size > reserved && !q.account.reserve(size-reserved)
	if size > reserved && !over {
		reserved = size
	}
	q.account.placed(target, size, reserved)
	return over
}
