package dav

import (
	"net/http"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage"
)

// request is a request and the meaning of its headers. Each is parsed at most once, when
// a method first needs it.
type request struct {
	*http.Request
	handler *Handler
	// name is the storage name of the request URI, in the storage's spelling.
	name string

	ifHeader    lazy[field.If]
	depthHeader lazy[field.Depth]
	overwrites  lazy[bool]
	preferred   lazy[field.Preferences]
}

// lazy is a value that is computed on first use. It is not safe for concurrent use.
type lazy[T any] struct {
	value T
	err   error
	known bool
}

func (l *lazy[T]) set(value T, err error) (T, error) {
	l.value, l.err, l.known = value, err, true
	return value, err
}

// principal returns the principal of the request, or "" if that is unknown.
func (r *request) principal() string { return storage.PrincipalOf(r.Context()) }

// conditionsIf returns the header If, or nil without it.
func (r *request) conditionsIf() (field.If, error) {
	if r.ifHeader.known {
		return r.ifHeader.value, r.ifHeader.err
	}
	return r.ifHeader.set(field.ParseIf(r.Header["If"]))
}

func (r *request) depthField() field.Depth {
	if !r.depthHeader.known {
		_, _ = r.depthHeader.set(field.ParseDepth(r.Header["Depth"]), nil)
	}
	return r.depthHeader.value
}

// depth returns the header Depth as 0, 1 or [tree.Infinite]; without the header it is
// infinite. allowed lists the values that the method accepts.
func (r *request) depth(allowed ...string) (int, error) {
	return r.depthField().In(r.Method, allowed...)
}

// overwrite returns the header Overwrite (RFC 4918 §10.6).
func (r *request) overwrite() (bool, error) {
	if r.overwrites.known {
		return r.overwrites.value, r.overwrites.err
	}
	return r.overwrites.set(field.ParseOverwrite(r.Header["Overwrite"]))
}

// preferences returns what the header Prefer asks for.
func (r *request) preferences() *field.Preferences {
	if !r.preferred.known {
		_, _ = r.preferred.set(field.ParsePreferences(r.Header), nil)
	}
	return &r.preferred.value
}

const methodCopy = "COPY"
