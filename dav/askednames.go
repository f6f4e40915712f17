package dav

import (
	"errors"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// askedNames returns err after replacing the names of its failures by the names that
// the client used.
func askedNames(err error, about ...place.Place) error {
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
func askedName(name string, about ...place.Place) string {
	for _, p := range about {
		if p.Asked != p.Name() && storage.Contains(p.Name(), name) {
			return path.Join(p.Asked, strings.TrimPrefix(name, p.Name()))
		}
	}
	return name
}
