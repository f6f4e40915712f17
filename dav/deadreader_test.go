package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

// brokenProps has a property on every name but those that it can't be asked for.
type brokenProps struct {
	deadprops.Store
	fails string
	reads []int // names in each call
}

var errBrokenProps = errors.New("broken")

func (s *brokenProps) Any(context.Context, string) (bool, error) { return true, nil }

func (s *brokenProps) Read(ctx context.Context, names ...string) (map[string][]webdav.Property, error) {
	s.reads = append(s.reads, len(names))
	if slices.Contains(names, s.fails) {
		return nil, errBrokenProps
	}
	found := make(map[string][]webdav.Property)
	for _, name := range names {
		found[name] = []webdav.Property{{XMLName: xml.Name{Local: "a"}, InnerXML: []byte(name)}}
	}
	return found, ctx.Err()
}

// TestDeadReader: members are asked for together and, when that fails, one by
// one, so that one that can't be read is no other's failure.
func TestDeadReader(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		members int
		fails   string
		reads   []int
		failed  []string
	}{
		{"all can be read", t.Context(), 100, "", []int{99}, nil},
		{"one can't", t.Context(), 4, "/2", []int{3, 1, 1, 1}, []string{"/2"}},
		{"the only one can't", t.Context(), 2, "/0", []int{1}, []string{"/0"}},
		{"none is there", t.Context(), 1, "", nil, nil},
		{"the request has ended", cancelled, 100, "", []int{99}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := &brokenProps{fails: c.fails}
			d, err := (&Handler{Properties: store}).newDeadReader(t.Context(), "/")
			if err != nil {
				t.Fatal(err)
			}
			// The last could not be described, so it has none.
			members := make([]tree.Member, c.members)
			for i := range members {
				members[i].Name = fmt.Sprintf("/%d", i)
			}
			members[c.members-1].Err = errBrokenProps
			found, failures := d.read(c.ctx, members)
			if !slices.Equal(store.reads, c.reads) {
				t.Errorf("%d names in each call, want %d", store.reads, c.reads)
			}
			for _, m := range members {
				failed := slices.Contains(c.failed, m.Name)
				has := len(found[m.Name]) == 1 && string(found[m.Name][0].InnerXML) == m.Name
				if failed != errors.Is(failures[m.Name], errBrokenProps) || has != (!failed && m.Err == nil) {
					t.Errorf("%s has %v, %v", m.Name, found[m.Name], failures[m.Name])
				}
			}
		})
	}
}
