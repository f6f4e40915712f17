package dav

import (
	"context"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

// deadReader reads the dead properties of what a walk finds: of all members of a
// step together.
type deadReader struct{ store deadprops.Store }

// newDeadReader returns nil when there is no dead property in the tree name.
func (h *Handler) newDeadReader(ctx context.Context, name string) (*deadReader, error) {
	store := h.properties()
	if some, err := store.Any(ctx, name); !some || err != nil {
		return nil, err
	}
	return &deadReader{store: store}, nil
}

// read returns the properties of members by their names. When they can't be read
// together they are read one by one, and failures are those that can't then.
func (d *deadReader) read(ctx context.Context, members []tree.Member) (found map[string][]webdav.Property, failures map[string]error) {
	names := make([]string, 0, len(members))
	for i := range members {
		if members[i].Err == nil {
			names = append(names, members[i].Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	found, err := d.store.Read(ctx, names...)
	if err == nil || ctx.Err() != nil {
		return found, nil // the end of ctx is the walk's
	}
	found, failures = make(map[string][]webdav.Property), make(map[string]error)
	if len(names) == 1 {
		failures[names[0]] = err
		return nil, failures
	}
	for _, name := range names {
		one, err := d.store.Read(ctx, name)
		if err != nil {
			failures[name] = err
			continue
		}
		found[name] = one[name]
	}
	return found, failures
}
