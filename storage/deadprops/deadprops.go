// Package deadprops keeps dead properties: those whose value the server stores
// and does not understand (RFC 4918 §4.2).
//
// They belong to names, on files and collections alike, whatever storage holds
// the content. So they can outlive a resource that somebody has removed behind
// the server's back; the handler removes what is left of them whenever it
// creates a resource.
package deadprops

import (
	"context"

	"golang.org/x/net/webdav"
)

// Store keeps dead properties by the clean storage names of the resources. The
// tree of a name is the name and all that is below it. Each change is made whole
// or not at all, and durable when the method returns, if the Store keeps
// anything at all. All methods are safe for concurrent use.
//
// Of a webdav.Property, XMLName, Lang and InnerXML are kept byte for byte.
type Store interface {
	// Any reports whether something in the tree name has a property. It is
	// quick: a listing asks it once, and then need not ask for each member.
	Any(ctx context.Context, name string) (bool, error)

	// Read returns the properties that query asks for by the names of their
	// resources, each resource's in the order of their XML names (Space, then
	// Local). It reads no values that it doesn't return. If there is more than
	// query.MaxBytes, next is not nil: it is the first property that did not fit,
	// and found is not all. Of one resource, found is what comes before next.
	Read(ctx context.Context, query Query) (found map[string][]webdav.Property, next *Next, err error)

	// Patch sets and removes properties of name in the order of patches. To
	// remove one that is not there is no error (RFC 4918 §14.23). It returns a
	// [*LimitError] where the [Limits] of ctx ([WithBudget]) don't allow it.
	Patch(ctx context.Context, name string, patches []webdav.Proppatch) error

	// Move gives the tree dst the properties of the tree src, instead of those
	// that it had, and leaves src none. Neither name contains the other.
	Move(ctx context.Context, src, dst string) error

	// MayCopy returns a [*LimitError] if a Copy would exceed what the owner of ctx
	// ([WithBudget]) may have.
	MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error

	// Copy gives the tree dst the properties of the tree src or, with zeroDepth,
	// of src alone, instead of those that it had. Neither name contains the
	// other. It counts for the owner of ctx, but is never refused: the content has
	// been copied.
	Copy(ctx context.Context, src, dst string, zeroDepth bool) error

	// Remove removes the properties of the tree name.
	Remove(ctx context.Context, name string) error
}

// Securer is a [Store] whose disk can be full.
type Securer interface {
	// Secure makes sure, before a COPY, MOVE or DELETE changes anything else, that
	// Move, Copy or Remove of its properties will not fail for lack of room, nor
	// the end of so many locks. src and dst are the names, dst is "" for a DELETE.
	// The room is held until release is called. Without enough room the
	// error matches storage.NoSpace, and nothing has changed.
	Secure(ctx context.Context, src, dst string, locks int) (release func(), err error)
}

// Secure is the method of s. Without a [Securer] it does nothing.
func Secure(ctx context.Context, s Store, src, dst string, locks int) (release func(), err error) {
	if securer, ok := s.(Securer); ok {
		return securer.Secure(ctx, src, dst, locks)
	}
	return func() {}, nil
}
