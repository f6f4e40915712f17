package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// place is the resource that a name leads to. A resource may have several names, through
// symbolic links or because the file system folds names. Locks, claims and properties
// belong to the resource, so they use its key, which is the same for every name. A
// tenantView translates keys for state that tenants share.
//
// The Handler calls the storage with the canonical name, which contains no link, so
// that swapping a link after the check has no effect. One gap remains: if another
// process replaces a collection in the canonical name by a link between the last check
// and the call, MKCOL, PROPPATCH, COPY, MOVE and DELETE follow that link. PUT and PATCH
// don't (storage.Replacing.Canonical). Hard links and bind mounts count as separate
// resources.
type place struct {
	// asked is the storage name that the client used. Answers show it.
	asked string
	canon storage.Canon
	key   string
	// links are the keys of the symbolic links in the path. A lock on a collection
	// protects the links in it and everything below them.
	links []string
}

// name is the canonical name, which the storage gets.
func (p place) name() string { return p.canon.Name }

// parent is the key of the collection that contains p.
func (p place) parent() string { return path.Dir(p.key) }

var errReservedPlace = &status.Error{Status: http.StatusForbidden, Reason: "the name leads to a path that is reserved for the server"}

// place returns the place that name leads to. If name ends in a symbolic link, follow
// decides whether that is the link's target or, as DELETE and MOVE need, the link.
func (h *Handler) place(ctx context.Context, name string, follow bool) (place, error) {
	canon, err := storage.Canonical(ctx, h.FileSystem, name, follow)
	if err != nil {
		return place{}, err
	}
	if storage.Reserved(canon.Name) && !storage.Reserved(name) {
		return place{}, errReservedPlace
	}
	return placeOf(name, canon), nil
}

// placeOf returns the place of name with its canonical form canon.
func placeOf(name string, canon storage.Canon) place {
	return place{asked: name, canon: canon, key: canon.Key, links: canon.Links}
}

// placeAt returns the place of name. info describes name, and may save a call of the
// storage.
func (h *Handler) placeAt(ctx context.Context, name string, info fs.FileInfo) (place, error) {
	if storage.Direct(info) {
		return placeOf(name, storage.Canon{Name: name, Key: name}), nil
	}
	return h.place(ctx, name, true)
}

// member returns the place of a member of the collection p. The member must not be a
// link.
func (p place) member(segment string) place {
	return placeOf(path.Join(p.asked, segment), p.canon.Member(segment))
}

// unmoved returns an error if the canonical name of p now leads elsewhere. Call it
// under the claim: before that, another process may have put a link into the path.
func (h *Handler) unmoved(ctx context.Context, p place, follow bool) error {
	now, err := h.place(ctx, p.name(), follow)
	if err == nil && (now.name() != p.name() || now.key != p.key) {
		err = errMovedPlace
	}
	return err
}

// find returns the place of name and describes the resource there. For a symbolic link,
// the place is that of the link itself, but the description is that of its target.
func (h *Handler) find(ctx context.Context, name string) (place, fs.FileInfo, error) {
	if info, err := h.stat(ctx, name); err == nil && storage.Direct(info) {
		return placeOf(name, storage.Canon{Name: name, Key: name}), info, nil
	}
	at, err := h.place(ctx, name, false)
	if err != nil {
		return place{}, nil, err
	}
	info, err := h.stat(ctx, at.name())
	return at, info, err
}

// look describes the resource at p. Call it under the claim: it fails if the canonical
// name of p leads elsewhere now. For most names the description alone proves that it
// doesn't, so unmoved is not needed.
func (h *Handler) look(ctx context.Context, p place, follow bool) (fs.FileInfo, error) {
	info, err := h.stat(ctx, p.name())
	if err == nil && storage.Direct(info) && p.key == p.name() {
		return info, nil
	}
	if err := h.unmoved(ctx, p, follow); err != nil {
		return nil, err
	}
	return info, err
}

var errMovedPlace = &status.Error{Status: http.StatusConflict, Reason: "a symbolic link in the path changed during this request; the request had no effect"}

// shownName returns the storage name that a client should see for a key. It takes the
// spelling from a place of the request if that is the resource itself, above it or
// below it. It can't show the key itself, which may be folded or a path outside the
// share.
func shownName(key string, about ...place) string {
	for _, p := range about {
		switch {
		case p.key == key:
			return p.shown()
		case storage.Contains(key, p.key):
			return cutSegments(p.shown(), strings.Count(strings.TrimPrefix(p.key, strings.TrimSuffix(key, "/")), "/"))
		case storage.Contains(p.key, key):
			return path.Join(p.shown(), strings.TrimPrefix(key, p.key))
		}
	}
	if outside(key) {
		return "/"
	}
	return key
}

// shown returns the name of p for a client: the canonical name, or the one that the
// client used if p is outside the share.
func (p place) shown() string {
	if p.canon.Name == "" || outside(p.canon.Key) {
		return p.asked
	}
	return p.canon.Name
}

// outside reports whether key belongs to a resource outside the share.
func outside(key string) bool { return storage.Contains(storage.OutsideKey, key) }

// cutSegments returns name without its last n segments.
func cutSegments(name string, n int) string {
	for range n {
		name = path.Dir(name)
	}
	return name
}

// askedNames returns err after replacing the names of its failures by the names that
// the client used.
func askedNames(err error, about ...place) error {
	if err == nil {
		return nil
	}
	var partial *tree.PartialError
	if errors.As(err, &partial) {
		for i := range partial.Failures {
			partial.Failures[i].Name = askedName(partial.Failures[i].Name, about...)
		}
	}
	return err
}

// askedName returns the client's name for the storage name: if it is in a place of the
// request, it begins with the name that the client used for the place.
func askedName(name string, about ...place) string {
	for _, p := range about {
		if p.asked != p.name() && storage.Contains(p.name(), name) {
			return path.Join(p.asked, strings.TrimPrefix(name, p.name()))
		}
	}
	return name
}
