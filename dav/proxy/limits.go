package proxy

import (
	"cmp"
	"net/http"

	"github.com/davd/davd/dav/internal/limit"
)

// Limits restricts what clients may use at a time. Requests beyond a limit get a 503
// (Service Unavailable). A client is a user or, without one, an IPv4 address or an IPv6
// network of 64 bits.
type Limits struct {
	// Operations is how many COPY, MOVE and DELETE requests may be under way at a time, and
	// OperationsOf how many of one client. Zero means 1024, and a quarter of Operations.
	Operations, OperationsOf int
	// Streams is how many requests may follow an operation at a time, and StreamsOf how many
	// of one client. Zero means 512, and a quarter of Streams.
	Streams, StreamsOf int
}

func (l *Limits) operations(what string) *limit.Bound {
	most := cmp.Or(l.Operations, 1024)
	return &limit.Bound{
		Most: most, MostOf: cmp.Or(l.OperationsOf, max(most/limit.OneClient, 1)), What: what, Instead: "send fewer at a time",
	}
}

func (l *Limits) streams() *limit.Bound {
	most := cmp.Or(l.Streams, 512)
	return &limit.Bound{
		Most: most, MostOf: cmp.Or(l.StreamsOf, max(most/limit.OneClient, 1)),
		What: "requests that follow an operation", Instead: "read its status document now and then",
	}
}

// enter counts r as under way until leave is called.
func (h *Handler) enter(r *http.Request, in *limit.Counter, b *limit.Bound) (leave func(), err error) {
	client := h.TrustedProxies.ClientKey(r)
	if h.Authenticated && h.Principal != nil {
		if principal := h.Principal(r); principal != "" {
			client = "user " + principal
		}
	}
	if err := in.Enter(b, client, 1); err != nil {
		return nil, err
	}
	return func() { in.Leave(client, 1) }, nil
}
