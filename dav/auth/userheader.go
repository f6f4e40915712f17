package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	clients "github.com/davd/davd/dav/internal/origin"
)

// UserHeader accepts the user name that a trusted proxy sends in a header, after the proxy
// itself has authenticated the user. It stands before a [Handler], which then asks for no
// password. It removes its headers from all requests, so that nothing behind it sees them.
type UserHeader struct {
	Next http.Handler
	// Trusted are the proxies, judging by the address of the connection. So UserHeader must
	// stand before a handler that changes RemoteAddr.
	Trusted TrustedProxies
	// Name is the header with the user name, such as "X-Remote-User". Groups, if not "", is
	// a header with the user's groups, separated by commas.
	Name, Groups string
	// Ignored, if not nil, is called when a header is ignored: it does not come from a
	// trusted proxy, or contains no single name.
	Ignored func(*http.Request, error)
}

// TrustedProxies are the networks of proxies, as in a dav.Handler.
type TrustedProxies = clients.Proxies

type assertionKey struct{}

// asserted returns the user that a trusted proxy has authenticated, or nil.
func asserted(r *http.Request) *Identity {
	id, _ := r.Context().Value(assertionKey{}).(*Identity)
	return id
}

// Asserted reports whether a trusted proxy has authenticated the user of a request. ctx is derived
// from the context of that request.
func Asserted(ctx context.Context) bool {
	_, ok := ctx.Value(assertionKey{}).(*Identity)
	return ok
}

func (h *UserHeader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	names := r.Header.Values(h.Name)
	groups := r.Header.Values(h.Groups)
	if len(names) == 0 && len(groups) == 0 {
		h.Next.ServeHTTP(w, r)
		return
	}
	ctx := r.Context()
	id, err := h.identity(r, names, groups)
	switch {
	case err != nil:
		if h.Ignored != nil {
			h.Ignored(r, err)
		}
	case id != nil:
		ctx = context.WithValue(ctx, assertionKey{}, id)
	}
	bare := r.WithContext(ctx)
	bare.Header = r.Header.Clone()
	bare.Header.Del(h.Name)
	bare.Header.Del(h.Groups)
	h.Next.ServeHTTP(w, bare)
}

// identity returns nil if the proxy names no user.
func (h *UserHeader) identity(r *http.Request, names, groups []string) (*Identity, error) {
	switch {
	case !h.Trusted.Sent(r):
		return nil, fmt.Errorf("%s is ignored, because its sender is not a trusted proxy", h.Name)
	case len(names) == 0 || len(names) == 1 && names[0] == "":
		return nil, nil //nolint:nilnil // the client has to log in
	case len(names) > 1:
		return nil, fmt.Errorf("%s is ignored, because the proxy has sent it %d times: the proxy must replace what the client has sent", h.Name, len(names))
	case !validName(names[0]):
		return nil, errors.New(h.Name + " is ignored, because it contains no user name")
	}
	id := &Identity{Name: names[0]}
	for _, list := range groups {
		for group := range strings.SplitSeq(list, ",") {
			if group = strings.TrimSpace(group); group != "" {
				id.Groups = append(id.Groups, group)
			}
		}
	}
	return id, nil
}
