package dav

import (
	"fmt"
	"net/http"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
)

// request is a request and the meaning of its headers. Each is parsed at most once, when
// a method first needs it.
type request struct {
	*http.Request
	h *Handler
	// name is the storage name of the request URI, in the storage's spelling.
	name string

	// Most requests have none of these headers, and some operations keep their request for
	// hours: so these values are allocated when they are needed.
	ifHeader   *parsed[field.If]
	overwrites *parsed[bool]
	preferred  *parsed[field.Preferences]
	// depthHeader is valid if depthKnown.
	depthHeader field.Depth
	depthKnown  bool
	// clientName is the result of client, or "" before its first call.
	clientName string
}

// parsed is the result of parsing a header.
type parsed[T any] struct {
	value T
	err   error
}

// withOwner returns r with its tenant and its principal in the context.
func (h *Handler) withOwner(r *http.Request) (*http.Request, error) {
	ctx := r.Context()
	if h.Tenant != nil {
		owner := h.Tenant(r)
		if len(owner) > tenant.MaxLength {
			return r, fmt.Errorf("dav: Handler.Tenant returned %d bytes (%.40q…): return at most %d, for example a hash", len(owner), owner, tenant.MaxLength)
		}
		ctx = storage.WithTenant(ctx, owner)
	}
	principal := ""
	if h.Principal != nil {
		principal = h.Principal(r)
	}
	if known := principal == storage.PrincipalOf(ctx); known && h.Tenant == nil {
		return r, nil
	} else if !known {
		ctx = storage.WithPrincipal(ctx, principal)
	}
	return r.WithContext(ctx), nil
}

// principal returns the principal of the request, or "" if that is unknown.
func (r *request) principal() string { return storage.PrincipalOf(r.Context()) }

// conditionsIf returns the header If, or nil without it. It is not safe for concurrent use,
// and neither are the methods below.
func (r *request) conditionsIf() (field.If, error) {
	if r.Header["If"] == nil {
		return nil, nil
	}
	if r.ifHeader == nil {
		value, err := field.ParseIf(r.Header["If"])
		r.ifHeader = &parsed[field.If]{value, err}
	}
	return r.ifHeader.value, r.ifHeader.err
}

func (r *request) depthField() field.Depth {
	if !r.depthKnown {
		r.depthHeader, r.depthKnown = field.ParseDepth(r.Header["Depth"]), true
	}
	return r.depthHeader
}

// depth returns the header Depth as 0, 1 or [tree.Infinite]; without the header it is
// infinite. allowed lists the values that the method accepts.
func (r *request) depth(allowed ...string) (int, error) {
	return r.depthField().In(r.Method, allowed...)
}

// overwrite returns the header Overwrite (RFC 4918 §10.6).
func (r *request) overwrite() (bool, error) {
	if r.Header["Overwrite"] == nil {
		return field.ParseOverwrite(nil)
	}
	if r.overwrites == nil {
		value, err := field.ParseOverwrite(r.Header["Overwrite"])
		r.overwrites = &parsed[bool]{value, err}
	}
	return r.overwrites.value, r.overwrites.err
}

// preferences returns what the header Prefer asks for.
func (r *request) preferences() field.Preferences {
	if r.preferred == nil {
		if r.Header["Prefer"] == nil && r.Header["Brief"] == nil {
			return field.Preferences{}
		}
		r.preferred = &parsed[field.Preferences]{value: field.ParsePreferences(r.Header)}
	}
	return r.preferred.value
}

const (
	methodCopy = "COPY"
	methodMove = "MOVE"
)
