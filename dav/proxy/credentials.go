package proxy

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

func newSecret() (secret [32]byte) {
	_, _ = rand.Read(secret[:]) // never fails
	return secret
}

// ownerKey is the context key of the value that stands for one request.
type ownerKey struct{}

// withOwner returns r with a context that says whose operations it may see: its tenant and,
// if known, its principal. Two requests have the same tenant only if their credentials are
// the same, byte for byte: the proxy can't check them, and a name alone proves nothing.
// Requests without credentials have the same tenant if they come from one client.
func (h *Handler) withOwner(r *http.Request) *http.Request {
	principal := ""
	text := make([]byte, 0, 512)
	add := func(kind string, values ...string) {
		text = append(append(text, kind...), 0)
		for _, value := range values {
			text = append(append(text, value...), 0)
		}
		text = append(text, 0)
	}
	add(string(h.secret[:])) // the hash of a password must not be one that can be tried out
	switch {
	case h.Authenticated:
		if h.Principal != nil {
			principal = h.Principal(r)
		}
		add("user", principal)
	case r.Header["Authorization"] == nil && r.Header["Cookie"] == nil:
		add("client", h.TrustedProxies.ClientKey(r))
	default:
		// Only requests with the same credentials see this name, so it may be false.
		if name, _, ok := r.BasicAuth(); ok {
			principal = name
		}
		principal = cmp.Or(principal, "you")
		add("authorization", r.Header["Authorization"]...)
	}
	add("cookie", r.Header["Cookie"]...)
	hash := sha256.Sum256(text)
	ctx := storage.WithPrincipal(storage.WithTenant(r.Context(), string(hash[:])), principal)
	return r.WithContext(context.WithValue(ctx, ownerKey{}, new(byte)))
}

// connectionSchemes are the authentication schemes that authenticate a connection and not a
// request. Through a proxy, one client would act as another.
var connectionSchemes = [...]string{"NTLM", "Negotiate"}

func authenticatesConnection(value string) bool {
	scheme := strings.TrimLeft(value, " \t")
	if end := strings.IndexAny(scheme, " \t,"); end >= 0 {
		scheme = scheme[:end]
	}
	return slices.ContainsFunc(connectionSchemes[:], func(s string) bool { return strings.EqualFold(s, scheme) })
}

// refuseConnectionAuth refuses credentials for a connection.
func refuseConnectionAuth(header http.Header) error {
	if slices.ContainsFunc(header["Authorization"], authenticatesConnection) {
		return status.New(http.StatusForbidden, "NTLM and Negotiate authenticate a connection, "+
			"which a proxy shares between clients; use Basic over TLS")
	}
	return nil
}

// withoutConnectionAuth removes the challenges that authenticate a connection. It returns
// an error if no other is left.
func withoutConnectionAuth(header http.Header) error {
	if header["Www-Authenticate"] == nil {
		return nil
	}
	removed := false
	var kept []string
	for element := range field.Elements(header["Www-Authenticate"]) {
		if authenticatesConnection(element) {
			removed = true
			continue
		}
		kept = append(kept, element)
	}
	switch {
	case !removed:
		return nil
	case len(kept) == 0:
		return status.New(http.StatusBadGateway, "the upstream only accepts NTLM or Negotiate, which authenticate a "+
			"connection and can't pass through a proxy; switch on Basic there")
	}
	header["Www-Authenticate"] = []string{strings.Join(kept, ", ")}
	return nil
}
