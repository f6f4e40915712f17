package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage/deadprops"
)

// withBudget returns a context that charges dead properties to the principal of r and
// enforces PropertyLimits.
func (r *request) withBudget(ctx context.Context) context.Context {
	owner := r.principal()
	if tenant := tenant.Prefix(r.Context()); tenant != "" {
		owner = tenant + "/" + owner
	}
	return deadprops.WithBudget(ctx, deadprops.Budget{Owner: owner, Limits: r.h.PropertyLimits})
}

// mayCopyProperties refuses a COPY whose dead properties would exceed the client's
// limits. Call it before the COPY changes anything.
func (t *transfer) mayCopyProperties(ctx context.Context) error {
	kept, err := t.h.keptProperties(ctx) // files that keep their properties refuse nothing
	if err == nil {
		err = kept.MayCopy(ctx, t.src.Key, t.dst.Key, t.depth == 0)
	}
	if limit, ok := errors.AsType[*deadprops.LimitError](err); ok {
		return limitRefusal(limit)
	}
	return err
}

// limitRefusal returns limit as a client sees it: 507 (RFC 4918 §9.2.1, §11.5).
func limitRefusal(limit *deadprops.LimitError) *status.Error {
	why := status.New(http.StatusInsufficientStorage, limit.Reason)
	if limit.PerOwner {
		why.Condition = status.QuotaNotExceeded
	}
	return why
}

// refuseSets refuses the property that exceeds limit. If limit names none, it refuses
// every property that the request sets.
func (p *patch) refuseSets(limit *deadprops.LimitError) {
	why := limitRefusal(limit)
	sets := make(map[xml.Name]bool)
	for _, instruction := range p.dead {
		for _, property := range instruction.Props {
			sets[property.XMLName] = !instruction.Remove
		}
	}
	for i := range p.outcomes {
		name := p.outcomes[i].name
		if name == limit.Prop || limit.Prop == (xml.Name{}) && sets[name] {
			p.refuse(&p.outcomes[i], why)
		}
	}
}
