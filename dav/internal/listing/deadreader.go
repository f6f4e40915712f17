package listing

import (
	"context"
	"encoding/xml"
	"sync/atomic"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

const (
	// deadAtOnce is how many bytes of dead properties all listings of a Handler may hold in
	// memory. Pages of up to deadPage bytes don't count.
	deadAtOnce = 32 << 20
	// deadStep is how many bytes the properties of the members of a step may have so that
	// they are read together.
	deadStep = 256 << 10
	// deadPage is how many bytes of one resource are read at a time if a step has more than
	// deadStep, or if too many steps are in memory.
	deadPage = 16 << 10
	// deadPatience is how long a listing waits for memory for a property that is larger
	// than deadPage.
	deadPatience = 10 * time.Second
)

// deadReader reads the dead properties of the members that a walk finds. It reads those
// of all members of a step together, unless they are too large or one can't be read. That
// limits the memory of a listing, however much the store holds.
type deadReader struct {
	store  deadprops.Store
	query  deadprops.Query // without Names
	budget *limit.Budget
	// held is how many bytes of the budget belong to pages that were not delivered yet.
	held atomic.Int64
}

// newDeadReader returns nil if the tree name has no dead properties.
func newDeadReader(ctx context.Context, server *Server, name string, query *Query) (*deadReader, error) {
	store := server.Properties.Of(ctx)
	if some, err := store.Any(ctx, name); !some || err != nil {
		return nil, err
	}
	return &deadReader{store: store, query: query.deadQuery, budget: server.DeadBytes}, nil
}

// close returns the budget of pages that were not delivered. d may be nil.
func (d *deadReader) close() {
	if d != nil {
		d.release(d.held.Load())
	}
}

// release returns n bytes to the budget.
func (d *deadReader) release(n int64) {
	if n > 0 {
		d.held.Add(-n)
		d.budget.GiveBack(n)
	}
}

// stepProps holds the dead properties of the members of a step.
type stepProps struct {
	found map[string][]webdav.Property
	// bytes is how much of the budget the properties take.
	bytes int64
	// large: the properties don't fit, or not all can be read. None were read.
	large bool
}

// read returns the properties of members.
func (d *deadReader) read(ctx context.Context, members []tree.Member) stepProps {
	query := d.query
	query.Names, query.MaxBytes = make([]string, 0, len(members)), deadStep
	for i := range members {
		if members[i].Err == nil {
			query.Names = append(query.Names, members[i].Name)
		}
	}
	if len(query.Names) == 0 {
		return stepProps{}
	}
	if !d.budget.TryTake(deadStep, deadAtOnce) {
		return stepProps{large: true}
	}
	d.held.Add(deadStep)
	found, next, err := d.store.Read(ctx, query)
	if next != nil || err != nil && ctx.Err() == nil { // if ctx ended, the walk reports that
		d.release(deadStep)
		return stepProps{large: true}
	}
	step := stepProps{found: found}
	for _, props := range found {
		for i := range props {
			step.bytes += int64(deadprops.Size(props[i]))
		}
	}
	d.release(deadStep - step.bytes)
	return step
}

// readPage reads the properties of name that come after the given one, up to deadPage
// bytes.
func (d *deadReader) readPage(ctx context.Context, name string, after xml.Name) ([]webdav.Property, *deadprops.Next, error) {
	query := d.query
	query.Names, query.After, query.MaxBytes = []string{name}, after, deadPage
	found, next, err := d.store.Read(ctx, query)
	return found[name], next, err
}

// readNames returns the names of those props that name has, without values.
func (d *deadReader) readNames(ctx context.Context, name string, props []xml.Name) ([]webdav.Property, error) {
	found, _, err := d.store.Read(ctx, deadprops.Query{Names: []string{name}, Props: props, NamesOnly: true})
	return found[name], err
}

// readOne reads one property and calls use with it while the property counts in the
// budget. It returns false if the property no longer exists.
func (d *deadReader) readOne(ctx context.Context, name string, prop xml.Name, use func(webdav.Property) error) (found bool, err error) {
	query := deadprops.Query{Names: []string{name}, Props: []xml.Name{prop}, NamesOnly: d.query.NamesOnly, MaxBytes: deadPage}
	taken := int64(0)
	defer func() { d.budget.GiveBack(taken) }()
	for {
		props, next, err := d.store.Read(ctx, query)
		switch {
		case err != nil, next == nil && len(props[name]) == 0:
			return false, err
		case next == nil:
			return true, use(props[name][0])
		}
		// It is larger than query.MaxBytes, perhaps only since the last attempt.
		d.budget.GiveBack(taken)
		taken = 0
		if err := d.budget.Take(ctx, int64(next.Bytes), deadAtOnce, deadPatience); err != nil {
			return false, err
		}
		taken, query.MaxBytes = int64(next.Bytes), next.Bytes
	}
}
