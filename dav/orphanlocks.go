package dav

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
)

// releaseOrphans releases locks on missing resources. A LOCK leaves one if the process
// dies before the LOCK has created the resource (RFC 4918 §7.3). No client knows the
// token of such a lock, so none could release it. releaseOrphans keeps a lock whose
// parent collection is missing too. It keeps all locks if the share is empty or not the
// one that the journal knows, because the share's disk may not be mounted.
func (h *Handler) releaseOrphans(ctx context.Context, recovered []tree.Recovery) ([]tree.Recovery, error) {
	other := func(r tree.Recovery) bool { return errors.Is(r.Err, tree.ErrOtherShare) }
	manager := h.locks().Manager()
	if manager == nil || slices.ContainsFunc(recovered, other) {
		return nil, nil
	}
	tenants, ok := manager.(*tenant.Manager)
	if !ok {
		return h.releaseOrphansOf(ctx, manager)
	}
	contexts, err := tenants.Contexts(ctx)
	var undone []tree.Recovery
	for _, ctx := range contexts {
		released, releaseErr := h.releaseOrphansOf(ctx, manager)
		undone, err = append(undone, released...), errors.Join(err, releaseErr)
	}
	return undone, err
}

// releaseOrphansOf is releaseOrphans for one tree.
func (h *Handler) releaseOrphansOf(ctx context.Context, manager tenant.LockManager) ([]tree.Recovery, error) {
	found, err := manager.Find(ctx, time.Now(), "/", true)
	if err != nil || len(found) == 0 || h.isEmpty(ctx) {
		return nil, err
	}
	var undone []tree.Recovery
	for _, l := range found {
		if !h.isOrphan(ctx, l) {
			continue
		}
		if err := manager.Release(ctx, time.Now(), l.Token); err != nil && !errors.Is(err, webdav.ErrNoSuchLock) {
			return undone, err
		}
		undone = append(undone, tree.Recovery{Entry: tree.Entry{Method: "LOCK", Source: l.Root}, Result: tree.Undone})
	}
	return undone, nil
}

// isEmpty reports whether the share has no members, or can't be read.
func (h *Handler) isEmpty(ctx context.Context) bool {
	for _, err := range storage.ReadDir(ctx, h.FileSystem, "/") {
		return err != nil
	}
	return true
}

// isOrphan reports whether the resource of l is missing but its parent collection
// exists.
func (h *Handler) isOrphan(ctx context.Context, l lock.Lock) bool {
	if _, err := storage.Lstat(ctx, h.FileSystem, l.Root); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	parent, err := h.FileSystem.Stat(ctx, path.Dir(l.Root))
	return err == nil && parent.IsDir()
}
