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

// place is where a name leads. Locks, claims and properties belong to resources, and a
// resource may have several names: through symbolic links, or because the file system
// folds names. So all of them go by the key, which is the same for each name. What it is
// in a state that tenants share, is a tenantView's business.
//
// The storage is asked for what it does by the canonical name, which no link is part
// of, so that a link that is swapped after the check changes nothing. What remains: if
// another process replaces a collection on the way to the canonical name by a link, in
// the moment between the last look and the call, MKCOL, PROPPATCH, COPY, MOVE and
// DELETE follow it. PUT and PATCH don't (storage.Replacing.Canonical). Hard links and
// bind mounts are resources of their own.
type place struct {
	// asked is the storage name that the client used. Answers show it.
	asked string
	canon storage.Canon
	key   string
	// links are the keys of the symbolic links on the way: a lock on a collection
	// protects the links in it, and what is below them, too.
	links []string
}

// name is the canonical name, by which the storage is asked.
func (p place) name() string { return p.canon.Name }

// parent is the key of the collection that holds p.
func (p place) parent() string { return path.Dir(p.key) }

var errReservedPlace = &statusError{status: http.StatusForbidden, reason: "the name leads to what is reserved for the server"}

// place finds out where name leads. A symbolic link at its end is followed if follow is
// true; otherwise the place is that of the link itself, as DELETE and MOVE want it.
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

// placeOf is the place of name, which canon stands for.
func placeOf(name string, canon storage.Canon) place {
	return place{asked: name, canon: canon, key: canon.Key, links: canon.Links}
}

// placeAt is the place of name, which info describes.
func (h *Handler) placeAt(ctx context.Context, name string, info fs.FileInfo) (place, error) {
	if storage.Direct(info) {
		return placeOf(name, storage.Canon{Name: name, Key: name}), nil
	}
	return h.place(ctx, name, true)
}

// member is the place of the member segment of the collection p, which is no link.
func (p place) member(segment string) place {
	return placeOf(path.Join(p.asked, segment), p.canon.Member(segment))
}

// unmoved is an error if the canonical name of p leads elsewhere now: before the claim,
// a link may have come on the way.
func (h *Handler) unmoved(ctx context.Context, p place, follow bool) error {
	now, err := h.place(ctx, p.name(), follow)
	if err == nil && (now.name() != p.name() || now.key != p.key) {
		err = errMovedPlace
	}
	return err
}

var errMovedPlace = &statusError{status: http.StatusConflict, reason: "a symbolic link on the way was changed while the request was under way; this one has changed nothing"}

// shownName returns the storage name under which a client sees the resource that has
// the key: as it is spelled in a place that the request was about, if that is below or
// above it. A key itself may be folded, or be a path outside the share.
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

// shown is the name of p that may be shown: canonical, except of what lies outside the
// share.
func (p place) shown() string {
	if p.canon.Name == "" || outside(p.canon.Key) {
		return p.asked
	}
	return p.canon.Name
}

// outside reports whether key is that of something outside the share.
func outside(key string) bool { return storage.Contains(storage.OutsideKey, key) }

// cutSegments returns name without its last n segments.
func cutSegments(name string, n int) string {
	for range n {
		name = path.Dir(name)
	}
	return name
}

// askedNames is err with the names of its failures as the client knows them.
func askedNames(err error, about ...place) error {
	var partial *tree.PartialError
	if errors.As(err, &partial) {
		for i := range partial.Failures {
			partial.Failures[i].Name = askedName(partial.Failures[i].Name, about...)
		}
	}
	return err
}

// askedName returns the name under which a client sees what the storage calls name: as
// in the places that the request was about.
func askedName(name string, about ...place) string {
	for _, p := range about {
		if p.asked != p.name() && storage.Contains(p.name(), name) {
			return path.Join(p.asked, strings.TrimPrefix(name, p.name()))
		}
	}
	return name
}
