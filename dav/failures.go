package dav

import (
	"errors"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// askedNames returns err after replacing the names of its failures by the names that
// the client used.
func askedNames(err error, about ...place.Place) error {
	if partial, ok := errors.AsType[*tree.PartialError](err); ok {
		for i := range partial.Failures {
			partial.Failures[i].Name = askedName(partial.Failures[i].Name, about...)
		}
	}
	return err
}

// askedName returns the client's name for the storage name: if it is in a place of the
// request, it begins with the name that the client used for the place.
func askedName(name string, about ...place.Place) string {
	for _, p := range about {
		if p.Asked != p.Name && storage.Contains(p.Name, name) {
			return path.Join(p.Asked, strings.TrimPrefix(name, p.Name))
		}
	}
	return name
}

// failureOf returns err, marked as logged if it is no failure for the client. Two errors
// are none: a displaced resource that could not be removed, and properties and locks that
// the next start will move because the Journal has a record of them.
func (h *Handler) failureOf(err error) error {
	if _, partial := errors.AsType[*tree.PartialError](err); partial {
		return err
	}
	_, follow := errors.AsType[*tree.FollowError](err)
	_, leftover := errors.AsType[*tree.LeftoverError](err)
	if follow && h.journal() != nil || !follow && leftover {
		return status.Logged(err)
	}
	return err
}
