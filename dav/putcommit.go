package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// commit puts the complete content in place, if check still allows it, and ends the claim.
func (p *put) commit(c *claim, check func(old fs.FileInfo) error) (fs.FileInfo, error) {
	if c.direct() {
		info, err := p.place(p.content.Commit, check)
		if err := c.end(err); err != nil {
			return nil, err
		}
		return info, nil
	}
	var info fs.FileInfo
	err := p.fenced(c, func(ctx context.Context, how storage.Placing) (err error) {
		info, err = p.content.Commit(ctx, how)
		return err
	}, check)
	if err := c.end(err); err != nil || info != nil {
		return info, err
	}
	// Another node has finished the PUT, or a call had an effect although it failed.
	return p.h.FileSystem.Stat(p.r.Context(), p.at.Name)
}

// fenced is place with a stage that other nodes can take away.
func (p *put) fenced(c *claim, commit func(context.Context, storage.Placing) error, check func(old fs.FileInfo) error) error {
	stage := storage.StageName(p.content)
	if stage == "" {
		return status.New(http.StatusNotImplemented, "this storage can't be used by several servers")
	}
	// The client has sent everything, so commit even if it disconnects.
	ctx := context.WithoutCancel(p.r.Context())
	return placed(p.h.engine(c, p.at).PlaceStage(ctx, tree.Stage{Method: p.r.Method, Name: stage, Destination: p.at.Name}, func(ctx context.Context) error {
		_, err := p.place(func(_ context.Context, how storage.Placing) (fs.FileInfo, error) { return nil, commit(ctx, how) }, check)
		return err
	}))
}

// place calls commit, if check still allows it.
func (p *put) place(commit func(context.Context, storage.Placing) (fs.FileInfo, error), check func(old fs.FileInfo) error) (fs.FileInfo, error) {
	// The client has sent everything, so commit even if it disconnects.
	ctx := context.WithoutCancel(p.r.Context())
	if err := p.h.authorize(p.r); err != nil {
		return nil, err
	}
	only := createOnly(p.r)
	info, err := commit(ctx, storage.Placing{
		Modified: distinct(ctx, p.h.FileSystem, p.at.Name, p.modified),
		// If a file has appeared meanwhile, the client did not mean a part of that.
		Create: only || p.update != nil && p.old == nil,
		Sync:   p.h.Sync,
		Check: p.asked(func(old fs.FileInfo) error {
			if err := check(old); err != nil || old != nil {
				return err
			}
			// An earlier resource with this name may have left properties behind.
			return p.h.properties(ctx).Remove(ctx, p.at.Key)
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

// createOnly reports whether the client forbids replacing a file, even one that another
// program creates at this moment (RFC 9110 §13.1.2).
func createOnly(r *request) bool {
	for tag := range field.Elements(r.Header.Values("If-None-Match")) {
		if tag == "*" {
			return true
		}
	}
	return false
}

// madeByLock reports whether info describes an empty file that a LOCK created and the
// client submitted the token of that LOCK. The PUT then counts as creating the file.
func (p *put) madeByLock(ctx context.Context, info fs.FileInfo) bool {
	header, err := p.r.conditionsIf()
	return err == nil && header != nil && p.h.shared().created.Take(ctx, header.Tokens(), p.at.Key, info)
}

var errIsCollection = status.New(http.StatusMethodNotAllowed, "a collection has no content that can be written")

// failed returns the error for the client if the storage failed with err. It returns the
// error of a check unchanged.
func (p *put) failed(err error) error {
	switch {
	case p.refused != nil:
		return err
	case errors.Is(err, storage.ErrRedirected):
		return place.ErrMoved
	case errors.Is(err, storage.ErrChanged), p.update != nil && errors.Is(err, fs.ErrExist):
		return errChangedMeanwhile
	case p.r.Method == methodPatch && status.Of(err) == http.StatusNotFound:
		return errNothingToPatch
	}
	return unplaced(err)
}

// unplaced translates an error of a storage.Replacement for a PUT. If something is
// missing, it is the parent collection (RFC 4918 §9.7.1).
func unplaced(err error) error {
	switch status.Of(err) {
	case http.StatusNotFound:
		return errNoParent
	case http.StatusMethodNotAllowed:
		return errIsCollection
	}
	return err
}
