// Package deadprops keeps dead properties: those whose values the server stores without
// understanding them (RFC 4918 §4.2).
//
// They belong to names of files and collections, not to the content, wherever that is
// stored. So they remain if another program removes a resource without the server's
// knowledge. The handler removes such remains whenever it creates a resource.
package deadprops

import (
	"context"

	"golang.org/x/net/webdav"
)

// Store keeps dead properties by the clean storage names of the resources. The tree of
// a name is the name and everything below it. Each change is made completely or not at
// all. If the Store keeps properties on disk, a change is durable when the method
// returns. All methods are safe for concurrent use.
//
// Of a webdav.Property, a Store keeps XMLName, Lang and InnerXML byte for byte.
type Store interface {
	// Any reports whether something in the tree name has a property. It is fast: a
	// listing calls it once, and may then skip the calls for each member.
	Any(ctx context.Context, name string) (bool, error)

	// Read returns the properties that query selects, by the names of their resources.
	// Those of one resource are sorted by their XML names (Space, then Local). Read
	// loads only the values that it returns. If the properties exceed query.MaxBytes,
	// found is incomplete and next describes the first property that did not fit. In a
	// query for one resource, found then holds everything before next.
	Read(ctx context.Context, query Query) (found map[string][]webdav.Property, next *Next, err error)

	// Patch sets and removes properties of name in the order of patches. It is no error
	// to remove a property that does not exist (RFC 4918 §14.23). It returns a
	// [*LimitError] if the [Limits] of ctx ([WithBudget]) don't allow the change.
	Patch(ctx context.Context, name string, patches []webdav.Proppatch) error

	// Move replaces the properties of the tree dst by those of the tree src, and leaves
	// src without any. Neither name may contain the other.
	Move(ctx context.Context, src, dst string) error

	// MayCopy returns a [*LimitError] if a Copy would exceed the limit of the owner in
	// ctx ([WithBudget]).
	MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error

	// Copy replaces the properties of the tree dst by a copy of those of the tree src
	// or, with zeroDepth, of src alone. Neither name may contain the other. The copies
	// count for the owner in ctx, but Copy never refuses them, because the content has
	// already been copied.
	Copy(ctx context.Context, src, dst string, zeroDepth bool) error

	// Remove removes the properties of the tree name.
	Remove(ctx context.Context, name string) error
}

// Securer is a [Store] whose disk can be full.
type Securer interface {
	// Secure is called before a COPY, MOVE or DELETE of src to dst changes anything;
	// dst is "" for a DELETE. It reserves enough disk space for the Move, Copy or
	// Remove of the properties and for the release of that many locks, so that they
	// can't fail for lack of space. The space stays reserved until release is called.
	// If the room does not suffice, the error matches storage.NoSpace, and nothing has
	// changed.
	Secure(ctx context.Context, src, dst string, locks int) (release func(), err error)
}

// Secure calls the method of s if that is a [Securer], and does nothing otherwise.
func Secure(ctx context.Context, s Store, src, dst string, locks int) (release func(), err error) {
	if securer, ok := s.(Securer); ok {
		return securer.Secure(ctx, src, dst, locks)
	}
	return func() {}, nil
}
