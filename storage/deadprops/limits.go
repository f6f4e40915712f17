package deadprops

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"

	"golang.org/x/net/webdav"
)

// Limits say how many bytes dead properties may take. Zero means the default, and a
// negative number means no limit. Older properties may be larger: they can be read,
// removed, and replaced by smaller ones.
type Limits struct {
	// Property limits the length of a value and, separately, that of the XML name and
	// the language together. Zero means 64 KiB.
	Property int64
	// Resource limits the sum of the [Size] of all properties of a resource. Zero means
	// 1 MiB.
	Resource int64
	// Owner limits the sum of the Size of all properties of an owner: those that a
	// principal has set, and those that it has copied. The principal "" stands for all
	// clients without a name. Zero means 256 MiB.
	Owner int64
}

const (
	defaultProperty = 64 << 10
	defaultResource = 1 << 20
	// defaultOwner suffices for what Windows Explorer sets on 400,000 files.
	defaultOwner = 256 << 20
)

// Budget says who changes properties and within which Limits.
type Budget struct {
	Owner  string
	Limits Limits
}

type budgetKey struct{}

// WithBudget returns a context that makes a [Store] charge the owner in b for the
// properties that Patch sets and Copy copies, and enforce the limits in b.
func WithBudget(ctx context.Context, b Budget) context.Context {
	return context.WithValue(ctx, budgetKey{}, b)
}

// BudgetOf returns the Budget of ctx. Without one there are no limits, new properties
// belong to "", and copies belong to the owners of the originals.
func BudgetOf(ctx context.Context) (b Budget, given bool) {
	b, given = ctx.Value(budgetKey{}).(Budget)
	if !given {
		b.Limits = Limits{-1, -1, -1}
	}
	return b, given
}

// LimitError says that properties would take more than [Limits] allow. Nothing was
// changed.
type LimitError struct {
	// Prop is the property that is too large; the zero Name if no single one is.
	Prop xml.Name
	// PerOwner reports that the limit is that of an owner.
	PerOwner bool
	Reason   string
}

func (e *LimitError) Error() string { return e.Reason }

// CheckProperties returns a [*LimitError] if patches set a property that is too large.
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
				return &LimitError{Prop: p.XMLName, Reason: fmt.Sprintf("a property may have at most %d bytes", limit)}
			}
		}
	}
	return nil
}

// CheckResource returns a [*LimitError] if the properties of a resource would grow from
// before to after bytes and after exceeds the limit.
func (l Limits) CheckResource(before, after int64) error {
	return growth(before, after, cmp.Or(l.Resource, defaultResource), LimitError{}, "the properties of one resource")
}

// CheckOwner returns a [*LimitError] if the properties of an owner would grow from
// before to after bytes and after exceeds the limit.
func (l Limits) CheckOwner(before, after int64) error {
	return growth(before, after, cmp.Or(l.Owner, defaultOwner), LimitError{PerOwner: true}, "the properties that one user sets")
}

// growth returns e, with a Reason, if what grows beyond limit.
func growth(before, after, limit int64, e LimitError, what string) error {
	if limit < 0 || after <= limit || after <= before {
		return nil
	}
	e.Reason = fmt.Sprintf("%s may have at most %d bytes together: remove some first", what, limit)
	return &e
}
