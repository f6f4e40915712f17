package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// slowProps takes delay for each call of Read, and per for each name. It has a
// property on every name but those of fails.
type slowProps struct {
	deadprops.Store
	delay, per time.Duration
	fails      string
	reads      []int // names in each call
}

var errSlowProps = errors.New("broken")

func (s *slowProps) Any(context.Context, string) (bool, error) { return true, nil }

func (s *slowProps) Read(ctx context.Context, names ...string) (map[string][]webdav.Property, error) {
	s.reads = append(s.reads, len(names))
	time.Sleep(s.delay + time.Duration(len(names))*s.per)
	if slices.Contains(names, s.fails) {
		return nil, errSlowProps
	}
	found := make(map[string][]webdav.Property)
	for _, name := range names {
		found[name] = []webdav.Property{{XMLName: xml.Name{Local: "a"}, InnerXML: []byte(name)}}
	}
	return found, ctx.Err()
}

// readAll gathers n resources, one each interval, and returns when each was
// there after it was found.
func (s *slowProps) readAll(t *testing.T, n int, interval time.Duration) (waits []time.Duration) {
	t.Helper()
	d, err := (&Handler{Properties: s}).newDeadReader(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	var found []time.Time
	var names []string
	take := func() {
		for _, r := range d.read(t.Context()) {
			if wantErr := r.name == s.fails; wantErr != errors.Is(r.err, errSlowProps) || !wantErr && string(r.properties[0].InnerXML) != r.name {
				t.Errorf("%s has %q, %v", r.name, r.properties, r.err)
			}
			waits = append(waits, time.Since(found[len(names)]))
			names = append(names, r.name)
		}
	}
	for i := range n {
		time.Sleep(interval)
		found = append(found, time.Now())
		if d.gather(resource{name: fmt.Sprintf("/%d", i)}) {
			take()
		}
	}
	take()
	if len(names) != n {
		t.Fatalf("%d were read, want %d", len(names), n)
	}
	for i, name := range names {
		if name != fmt.Sprintf("/%d", i) {
			t.Fatalf("number %d is %s", i, name)
		}
	}
	return waits
}

// TestDeadReader: of a quick store properties are read in large batches, and no
// resource waits long for others or with others.
func TestDeadReader(t *testing.T) {
	for _, c := range []struct {
		name           string
		store          slowProps
		interval       time.Duration
		resources      int
		reads, largest int
		longest        time.Duration
	}{
		{"all quick", slowProps{}, 0, 10_000, 50, maxDeadBatch, 0},
		{"one failure", slowProps{fails: "/5000"}, 0, 10_000, 400, maxDeadBatch, 0},
		{"slow listing", slowProps{}, time.Second, 100, 100, 1, 0},
		{"listing as slow as the patience", slowProps{}, deadPatience, 100, 100, 1, 0},
		{"listing a bit slow", slowProps{}, 10 * time.Millisecond, 1000, 300, 8, 2 * deadPatience},
		{"each read slow", slowProps{delay: time.Second}, 0, 20, 20, 1, time.Second},
		{"each name slow", slowProps{per: 10 * time.Millisecond}, 0, 100, 100, 4, 4 * deadPatience},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				waits := c.store.readAll(t, c.resources, c.interval)
				if longest := slices.Max(waits); longest > c.longest {
					t.Errorf("one waited %v, want %v at most", longest, c.longest)
				}
				if len(c.store.reads) > c.reads {
					t.Errorf("%d calls of Read, want %d at most", len(c.store.reads), c.reads)
				}
				if largest := slices.Max(c.store.reads); largest > c.largest || c.name == "all quick" && largest < c.largest {
					t.Errorf("%d at a time, want %d", largest, c.largest)
				}
			})
		})
	}
}

// TestDeadReaderCancelled: a batch is not asked for one by one when the request
// has ended.
func TestDeadReaderCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store := &slowProps{}
	p := &propfind{ctx: ctx, dead: &deadReader{store: store, size: 10, last: time.Now()}}
	for _, name := range []string{"/a", "/b", "/c"} {
		p.dead.gather(resource{name: name})
	}
	if err := p.flush(); !errors.Is(err, context.Canceled) || len(store.reads) > 1 {
		t.Errorf("%v after %d calls", err, len(store.reads))
	}
}
