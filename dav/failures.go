package dav

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// askedNames returns err after replacing the names of its failures by the client's: a name in
// a place of the request begins with the name that the client used for the place.
func askedNames(err error, about ...place.Place) error {
	partial, ok := errors.AsType[*tree.PartialError](err)
	if !ok {
		return err
	}
	for i := range partial.Failures {
		name := &partial.Failures[i].Name
		in := slices.IndexFunc(about, func(p place.Place) bool { return p.Asked != p.Name && storage.Contains(p.Name, *name) })
		if in >= 0 {
			*name = path.Join(about[in].Asked, strings.TrimPrefix(*name, about[in].Name))
		}
	}
	return err
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
