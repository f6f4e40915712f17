package quota

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"

	"github.com/davd/davd/storage"
)

// RemoveMembers removes members of a collection.
func (q *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := q.ready(ctx); err != nil {
			for _, member := range members {
				if !yield(member, err) {
					return
				}
			}
			return
		}
		for _, member := range members {
			if !yield(member, q.remove(ctx, name, member)) {
				return
			}
		}
	}
}

// remove removes one member of the collection dir.
func (q *FS) remove(ctx context.Context, dir, member string) error {
	name := path.Join(dir, member)
	defer q.lockFile(name)()
	size := sizeOf(q.entry(ctx, name))
	for _, err := range storage.RemoveMembers(ctx, q.FS, dir, []string{member}) {
		if err != nil {
			return err
		}
		q.account.removed(name, size)
		return nil
	}
	return ctx.Err()
}

// RemoveAll removes name and everything in it, one by one, so that it knows what it removes.
func (q *FS) RemoveAll(ctx context.Context, name string) error {
	name = storage.Clean(name)
	if name == "/" {
		return q.FS.RemoveAll(ctx, name) // which refuses
	}
	if err := q.ready(ctx); err != nil {
		return err
	}
	info, err := storage.Lstat(ctx, q.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return q.removeTree(ctx, name, info)
}

func (q *FS) removeTree(ctx context.Context, name string, info fs.FileInfo) error {
	if info.IsDir() {
		var members []fs.FileInfo
		for member, err := range storage.ReadDir(ctx, q.FS, name) {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err == nil {
				members = append(members, member)
			}
		}
		for _, member := range members {
			if err := q.removeTree(ctx, path.Join(name, member.Name()), member); err != nil {
				return err
			}
		}
	}
	err := q.remove(ctx, path.Dir(name), path.Base(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Hold opens the collection name.
func (q *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	inner, err := storage.Hold(ctx, q.FS, name)
	if err != nil {
		return nil, err
	}
	return &held{Held: inner, quota: q, name: name}, nil
}

type held struct {
	storage.Held
	quota *FS
	name  string
}

// RemoveAll removes the member base and everything below it. If another process has renamed
// the collection, what it removes counts until the next walk.
func (h *held) RemoveAll(ctx context.Context, base string) error {
	return errors.Join(h.quota.RemoveAll(ctx, path.Join(h.name, base)), h.Held.RemoveAll(ctx, base))
}
