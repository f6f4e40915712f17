package deadprops

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"

	"golang.org/x/net/webdav"
)

// Limits bound what dead properties may take up, in bytes. Zero stands for the
// default, a negative number for no limit. Properties from
// before may be larger: they can be read, removed and replaced by less.
type Limits struct {
	// Property is how long a value may be, and how long its XML name and its
	// language may be together. Zero: 64 KiB.
	Property int64
	// Resource is the sum of the [Size] of all properties of a resource. Zero:
	// 1 MiB.
	Resource int64
	// Owner is the sum of the Size of all properties of an owner: those that a
	// principal has set, and their copies that it has made. The principal "" stands
	// for all clients that nobody knows by name. Zero: 256 MiB.
	Owner int64
}

const (
	defaultProperty = 64 << 10
	defaultResource = 1 << 20
	// defaultOwner has room for what Explorer sets for 400,000 files.
	defaultOwner = 256 << 20
)

// Budget says who changes properties, and within which Limits.
type Budget struct {
	Owner  string
	Limits Limits
}

type budgetKey struct{}

// WithBudget returns a context that makes a [Store] charge the owner in b for the
// properties that Patch sets and Copy copies, and keep to the limits in b.
func WithBudget(ctx context.Context, b Budget) context.Context {
	return context.WithValue(ctx, budgetKey{}, b)
}

// BudgetOf returns the Budget of ctx. Without one there are no limits, new
// properties are owned by "", and copies by those who own the originals.
func BudgetOf(ctx context.Context) (b Budget, given bool) {
	b, given = ctx.Value(budgetKey{}).(Budget)
	if !given {
		b.Limits = Limits{-1, -1, -1}
	}
	return b, given
}

// LimitError says that properties would take up more than [Limits] allow. Nothing
// was changed.
type LimitError struct {
	// Prop is the property that is too large; the zero Name if it is not one alone.
	Prop xml.Name
	// PerOwner: it is the limit of an owner.
	PerOwner bool
	Reason   string
}

func (e *LimitError) Error() string { return e.Reason }

// CheckProperties returns a [*LimitError] if patches set a property that is too
// large.
func (l Limits) CheckProperties(patches []webdav.Proppatch) error {
	limit := cmp.Or(l.Property, defaultProperty)
	if limit < 0 {
		return nil
	}
	for _, patch := range patches {
		if patch.Remove {
			continue
		}
		for _, p := range patch.Props {
			name := len(p.XMLName.Space) + len(p.XMLName.Local) + len(p.Lang)
			if int64(max(len(p.InnerXML), name)) > limit {
				return &LimitError{Prop: p.XMLName, Reason: fmt.Sprintf("a property may have %d bytes", limit)}
			}
		}
	}
	return nil
}

// CheckResource returns a [*LimitError] if the properties of a resource have grown
// from before to after bytes, and may not have so many.
func (l Limits) CheckResource(before, after int64) error {
	limit := cmp.Or(l.Resource, defaultResource)
	if limit < 0 || after <= limit || after <= before {
		return nil
	}
	return &LimitError{Reason: fmt.Sprintf("the properties of a resource may have %d bytes together: remove some first", limit)}
}

// CheckOwner returns a [*LimitError] if the properties of an owner have grown from
// before to after bytes, and may not have so many.
func (l Limits) CheckOwner(before, after int64) error {
	limit := cmp.Or(l.Owner, defaultOwner)
	if limit < 0 || after <= limit || after <= before {
		return nil
	}
	return &LimitError{
		PerOwner: true,
		Reason:   fmt.Sprintf("the properties that one user sets may have %d bytes together: remove some first", limit),
	}
}
