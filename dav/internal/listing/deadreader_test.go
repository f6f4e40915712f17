package listing

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

// brokenProps has one property for every name, except for names that it fails to read.
type brokenProps struct {
	deadprops.Store
	fails string
	reads []int // number of names in each call
}

// Of returns s, as the properties of every tenant.
func (s *brokenProps) Of(context.Context) deadprops.Store { return s }

var errBrokenProps = errors.New("broken")

func (s *brokenProps) Any(context.Context, string) (bool, error) { return true, nil }

func (s *brokenProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	s.reads = append(s.reads, len(query.Names))
	if slices.Contains(query.Names, s.fails) {
		return nil, nil, errBrokenProps
	}
	found := make(map[string][]webdav.Property)
	for _, name := range query.Names {
		found[name] = []webdav.Property{{XMLName: xml.Name{Local: "a"}, InnerXML: []byte(name)}}
	}
	return found, nil, ctx.Err()
}

// TestDeadReader: the properties of the members are read together. If that fails, they
// must be read one by one later, so that one unreadable member doesn't fail the others. What
// is read counts in the budget until it is released.
func TestDeadReader(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		members int
		fails   string
		used    int64
		reads   []int
		large   bool
	}{
		{"all can be read", t.Context(), 100, "", 0, []int{99}, false},
		{"one can't be read", t.Context(), 4, "/2", 0, []int{3}, true},
		{"the only one can't be read", t.Context(), 2, "/0", 0, []int{1}, true},
		{"no member exists", t.Context(), 1, "", 0, nil, false},
		{"the request has ended", cancelled, 100, "", 0, []int{99}, false},
		{"too much is in memory", t.Context(), 100, "", deadAtOnce - deadStep + 1, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := &brokenProps{fails: c.fails}
			var budget limit.Budget
			budget.TryTake(c.used, deadAtOnce)
			server := Server{Properties: store, DeadBytes: &budget}
			d, err := newDeadReader(t.Context(), &server, "/", allpropQuery)
			if err != nil {
				t.Fatal(err)
			}
			// The last member could not be described, so it has no properties.
			members := make([]tree.Member, c.members)
			for i := range members {
				members[i].Name = fmt.Sprintf("/%d", i)
			}
			members[c.members-1].Err = errBrokenProps
			step := d.read(c.ctx, members)
			if !slices.Equal(store.reads, c.reads) {
				t.Errorf("%d names in each call, want %d", store.reads, c.reads)
			}
			if step.large != c.large || budget.Used() != c.used+step.bytes || (step.bytes > 0) != (len(step.found) > 0) {
				t.Errorf("large is %t, %d bytes, %d in all", step.large, step.bytes, budget.Used())
			}
			d.close()
			if budget.Used() != c.used {
				t.Errorf("%d bytes are left", budget.Used())
			}
			if step.large {
				return
			}
			for _, m := range members {
				has := len(step.found[m.Name]) == 1 && string(step.found[m.Name][0].InnerXML) == m.Name
				if has != (m.Err == nil) {
					t.Errorf("%s has %v", m.Name, step.found[m.Name])
				}
			}
		})
	}
}
