package proxy

import (
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

// enterOperation counts r as an operation until leave is called.
func (h *Handler) enterOperation(r *http.Request) (leave func(), err error) {
	return h.enter(r, &h.operations, limit.Operations(h.Limits.Operations, h.Limits.OperationsOf))
}

// enterChange counts r as another change until leave is called. As many may be under way.
func (h *Handler) enterChange(r *http.Request) (leave func(), err error) {
	b := limit.Operations(h.Limits.Operations, h.Limits.OperationsOf)
	b.What = "requests that change something"
	return h.enter(r, &h.changes, b)
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
