package proxy

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"

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
	mac := hmac.New(sha256.New, h.secret[:])
	write := func(kind string, values ...string) {
		_, _ = io.WriteString(mac, kind+"\x00"+strings.Join(values, "\x00")+"\x00\x00") // never fails
	}
	switch {
	case h.Authenticated:
		if h.Principal != nil {
			principal = h.Principal(r)
		}
		write("user", principal)
	case r.Header["Authorization"] == nil && r.Header["Cookie"] == nil:
		write("client", h.TrustedProxies.ClientKey(r))
	default:
		// Only requests with the same credentials see this name, so it may be false.
		if name, _, ok := r.BasicAuth(); ok {
			principal = name
		}
		principal = cmp.Or(principal, "you")
		write("authorization", r.Header["Authorization"]...)
	}
	write("cookie", r.Header["Cookie"]...)
	tenant := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	ctx := storage.WithPrincipal(storage.WithTenant(r.Context(), tenant), principal)
	return r.WithContext(context.WithValue(ctx, ownerKey{}, new(byte)))
}

// connectionSchemes are the authentication schemes that authenticate a connection and not a
// request. Through a proxy, one client would act as another.
var connectionSchemes = [...]string{"NTLM", "Negotiate"}

func authenticatesConnection(value string) bool {
	scheme, _, _ := strings.Cut(strings.TrimSpace(value), " ")
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
	challenges := header["Www-Authenticate"]
	if !slices.ContainsFunc(challenges, authenticatesConnection) {
		return nil
	}
	if challenges = slices.DeleteFunc(challenges, authenticatesConnection); len(challenges) == 0 {
		return status.New(http.StatusBadGateway, "the upstream only accepts NTLM or Negotiate, which authenticate a "+
			"connection and can't pass through a proxy; switch on Basic there")
	}
	header["Www-Authenticate"] = challenges
	return nil
}
