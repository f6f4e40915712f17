package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
)

// moves are the rights at the source of a MOVE. They include the rights to read, because the
// principal may be able to read at the destination.
const moves = storage.RightsRead | storage.RightDelete

// authority is what a method needs at the request URI. Rights that depend on what exists there
// are checked again later.
type authority struct {
	// rights are all needed, or only one of them if either is set.
	rights storage.Right
	either bool
	// tree: they are needed at all names below as well.
	tree bool
}

// authorities has the methods that need more than to see the resource.
var authorities = map[string]authority{
	"PUT":       {rights: storage.RightCreate | storage.RightWrite, either: true},
	"PATCH":     {rights: storage.RightWrite},
	"MKCOL":     {rights: storage.RightCreate},
	"DELETE":    {rights: storage.RightDelete, tree: true},
	"COPY":      {rights: storage.RightRead},
	"MOVE":      {rights: moves, tree: true},
	"LOCK":      {rights: storage.RightLock},
	"UNLOCK":    {rights: storage.RightLock},
	"PROPPATCH": {rights: storage.RightWrite},
}

// restricted reports whether FileSystem restricts what principals may do. If not, nothing here
// costs anything.
func (h *Handler) restricted() bool {
	_, restricts := h.FileSystem.(storage.Authorizer)
	return restricts
}

// allowed returns nil if the principal of ctx has the rights at name. See storage.Allowed.
func (h *Handler) allowed(ctx context.Context, name string, rights storage.Right, tree bool) error {
	return storage.Allowed(ctx, h.FileSystem, name, rights, tree)
}

// authorize returns an error unless the principal may do what r asks for, as far as that is
// known without a look at the storage. That is before anything else is revealed or changed.
func (h *Handler) authorize(r *request) error {
	if !h.restricted() {
		return nil
	}
	err := h.authorizeAt(r.Context(), r.name, authorities[r.Method])
	switch r.Method {
	case http.MethodOptions:
		// A name that the principal may not see is like one that doesn't exist. But many
		// clients send a password only if their first request is refused, and that is OPTIONS.
		if r.principal() != "" {
			return nil
		}
	case http.MethodPut, "MKCOL":
		// The client sees the collection, but nothing may be created there.
		if errors.Is(err, fs.ErrNotExist) && h.allowed(r.Context(), path.Dir(r.name), 0, false) == nil {
			return storage.Refused("access", r.name, false)
		}
	case methodCopy, methodMove:
		if err == nil {
			err = r.authorizeDestination()
		}
	}
	return err
}

func (h *Handler) authorizeAt(ctx context.Context, name string, a authority) error {
	if !a.either {
		return h.allowed(ctx, name, a.rights, a.tree)
	}
	err := h.allowed(ctx, name, a.rights, a.tree)
	for right := storage.Right(1); err != nil && right <= a.rights; right <<= 1 {
		if a.rights.Has(right) && h.allowed(ctx, name, right, a.tree) == nil {
			return nil
		}
	}
	return err
}

// authorizeDestination returns an error unless the principal may create the destination of a COPY
// or MOVE. A MOVE takes the members along without a look at them, so it also needs the right below
// the destination. An invalid destination is refused elsewhere.
func (r *request) authorizeDestination() error {
	name, err := r.h.destination(r.Request)
	if err != nil {
		return nil //nolint:nilerr // checkTransfer returns it
	}
	return r.h.destinationAllowed(r.Context(), name, storage.RightCreate, r.Method == methodMove)
}

// destinationAllowed is allowed for a destination. A 404 would be about the source.
func (h *Handler) destinationAllowed(ctx context.Context, name string, rights storage.Right, tree bool) error {
	err := h.allowed(ctx, name, rights, tree)
	if errors.Is(err, storage.ErrRefused) {
		return storage.Refused("access", name, false)
	}
	return err
}

// mayPlace returns an error unless the principal may put a file at name. exists says that the
// name exists.
func (h *Handler) mayPlace(ctx context.Context, name string, exists bool) error {
	if exists {
		return h.allowed(ctx, name, storage.RightWrite, false)
	}
	return h.allowed(ctx, name, storage.RightCreate, false)
}

// unauthorized reports whether err refuses a client without a name something that a user may be
// able to do, and the client can be asked for a name and a password.
func (h *Handler) unauthorized(r *http.Request, err error) bool {
	return h.Challenge != nil && errors.Is(err, storage.ErrRefused) && storage.PrincipalOf(r.Context()) == ""
}

// respondErrorTo is respondError, but asks the client for a password if that may help.
func (h *Handler) respondErrorTo(w http.ResponseWriter, r *http.Request, err error) {
	err = halfClosed(err)
	if h.unauthorized(r, err) {
		h.Challenge(w, r)
		return
	}
	if h.shownAsPage(r, err) {
		h.respondErrorPage(w, r, err)
		return
	}
	h.respondError(r.Context(), w, err)
}

// isAllowed reports whether the rights suffice for a method, as far as they are known at the
// request URI. collection says that a collection exists there.
func isAllowed(method string, rights storage.Right, collection bool) bool {
	a := authorities[method]
	switch {
	case method == http.MethodOptions:
		return true
	case method == http.MethodGet, method == http.MethodHead:
		if collection {
			return rights.Has(storage.RightList)
		}
		return rights.Has(storage.RightRead)
	case a.either:
		return rights&a.rights != 0
	}
	return rights.Has(a.rights)
}

// Reauthorize checks again whether the principals of all running operations may do what these
// do. It stops the operations that they may not do any more: these roll back as far as they can
// and answer 403 (Forbidden), and listings end. Call it after the rights of FileSystem have
// changed. known reports whether a principal still exists; nil means that all do. Its context has the
// values of that of the request.
func (h *Handler) Reauthorize(known func(ctx context.Context, principal string) bool) {
	h.registry().StopIf(func(ctx context.Context, op operation.Operation) error {
		if op.Principal != "" && known != nil && !known(ctx, op.Principal) {
			return status.New(http.StatusForbidden, "stopped, because the user no longer has access")
		}
		if h.stillAllowed(ctx, op) == nil {
			return nil
		}
		return status.New(http.StatusForbidden, "stopped, because the user no longer has the right to do this")
	})
}

// stillAllowed returns an error if the principal of ctx may not do any more what op does.
func (h *Handler) stillAllowed(ctx context.Context, op operation.Operation) error {
	if storage.Reserved(path.Base(op.Source)) {
		return nil // a probe
	}
	err := h.authorizeAt(ctx, op.Source, authorities[op.Method])
	if err == nil && op.Destination != "" {
		err = h.destinationAllowed(ctx, op.Destination, storage.RightCreate, op.Method == methodMove)
	}
	return err
}
