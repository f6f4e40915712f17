package dav

import (
	"context"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

const (
	// maxDeadBatch is of how many resources dead properties are read together.
	maxDeadBatch = 256
	// deadPatience is how long a resource waits for others to be read with.
	deadPatience = 50 * time.Millisecond
)

// deadReader reads the dead properties of resources, of as many together as are
// found, and read, in a short time.
type deadReader struct {
	store    deadprops.Store
	gathered []resource
	size     int // of a batch, by how quick the store is
	first    time.Time
	last     time.Time // when the last was gathered or read
}

// newDeadReader returns nil when there is no dead property in the tree name.
func (h *Handler) newDeadReader(ctx context.Context, name string) (*deadReader, error) {
	store := h.properties()
	if some, err := store.Any(ctx, name); !some || err != nil {
		return nil, err
	}
	return &deadReader{store: store, size: 1}, nil
}

// gather reports whether it is time to read: there is a batch, or the next
// resource may be long in coming.
func (d *deadReader) gather(r resource) bool {
	now := time.Now()
	if len(d.gathered) == 0 {
		d.first = now
	}
	slow := now.Sub(d.last) >= deadPatience || now.Sub(d.first) >= deadPatience
	d.gathered = append(d.gathered, r)
	d.last = now
	return slow || len(d.gathered) >= d.size
}

// deadResult is a resource with its dead properties, or why they can't be read.
type deadResult struct {
	resource
	properties []webdav.Property
	err        error
}

// read returns what was gathered, in its order.
func (d *deadReader) read(ctx context.Context) []deadResult {
	if len(d.gathered) == 0 {
		return nil
	}
	results := make([]deadResult, len(d.gathered))
	names := make([]string, len(d.gathered))
	for i, r := range d.gathered {
		results[i].resource, names[i] = r, r.name
	}
	d.gathered = d.gathered[:0]
	start := time.Now()
	found, err := d.store.Read(ctx, names...)
	for i := range results {
		if err != nil && len(results) > 1 && ctx.Err() == nil {
			one, oneErr := d.store.Read(ctx, names[i])
			results[i].properties, results[i].err = one[names[i]], oneErr
		} else {
			results[i].properties, results[i].err = found[names[i]], err
		}
	}
	d.last = time.Now()
	if err == nil && d.last.Sub(start) < deadPatience/2 {
		d.size = min(2*d.size, maxDeadBatch)
	} else {
		d.size = max(d.size/2, 1)
	}
	return results
}
