package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/davd/davd/storage"
)

// commit puts the content, which is complete, into its place, if check still
// allows it.
func (p *put) commit(check func(old fs.FileInfo) error) (fs.FileInfo, error) {
	// The client has sent everything: whether it still waits is no matter.
	ctx := context.WithoutCancel(p.r.Context())
	only := createOnly(p.r)
	info, err := p.content.Commit(ctx, storage.Placing{
		Modified: p.h.distinct(ctx, p.at.name(), p.modified),
		// A part of what has appeared meanwhile is not what the client has sent.
		Create: only || p.update != nil && p.old == nil,
		Sync:   p.h.Sync,
		Check: p.asked(func(old fs.FileInfo) error {
			if err := check(old); err != nil || old != nil {
				return err
			}
			// What has become of an earlier resource of this name is not known.
			return p.h.properties().Remove(ctx, p.at.key)
		}),
	})
	if only && errors.Is(err, fs.ErrExist) {
		return nil, failedPrecondition("If-None-Match")
	}
	if err != nil {
		return nil, p.failed(err)
	}
	return info, nil
}

// createOnly reports whether the client wants nothing to be replaced, not even
// what appears behind the server's back (RFC 9110 §13.1.2).
func createOnly(r *http.Request) bool {
	for tag := range listElements(r.Header.Values("If-None-Match")) {
		if tag == "*" {
			return true
		}
	}
	return false
}

// madeByLock reports whether info describes the empty file that the LOCK made whose
// token the client has submitted, so that it gets its first content now.
func (p *put) madeByLock(ctx context.Context, info fs.FileInfo) bool {
	header, err := ifOf(p.r)
	return err == nil && header != nil && p.h.shared().created.take(ctx, header.tokens(), p.at.key, info)
}

var errIsCollection = &statusError{status: http.StatusMethodNotAllowed, reason: "it is a collection, which has no content that could be written"}

// failed is unplaced of an error of the storage, and not of check.
func (p *put) failed(err error) error {
	switch {
	case p.refused != nil:
		return err
	case errors.Is(err, storage.ErrRedirected):
		return errMovedPlace
	case errors.Is(err, storage.ErrChanged), p.update != nil && errors.Is(err, fs.ErrExist):
		return errChangedMeanwhile
	case p.r.Method == methodPatch && statusOf(err) == http.StatusNotFound:
		return errNothingToPatch
	}
	return unplaced(err)
}

// unplaced makes err, of a storage.Replacement, one of PUT: what is missing is
// the collection (RFC 4918 §9.7.1).
func unplaced(err error) error {
	switch statusOf(err) {
	case http.StatusNotFound:
		return errNoParent
	case http.StatusMethodNotAllowed:
		return errIsCollection
	}
	return err
}
