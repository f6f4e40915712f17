package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/storage/tree"
)

// servePropfind answers with the properties of the resource and, by Depth, of
// what is below it (RFC 4918 §9.1). It stops when the client goes.
func (h *Handler) servePropfind(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	depth, err := depth(r, tree.Infinite, "0", "1", "infinity")
	if err != nil {
		return statusOf(err), err
	}
	request, err := h.readPropfind(w, r)
	if err != nil {
		return statusOf(err), err
	}
	info, err := h.stat(r.Context(), name)
	if err != nil {
		return statusOf(err), err
	}
	if err := h.conditions(r, name, info); err != nil {
		return statusOf(err), err
	}
	p, err := h.newPropfind(r, name, info, depth, request)
	if err != nil {
		return statusOf(err), err
	}
	about := Operation{Source: name}
	return h.operate(w, r, about, true, func(ctx context.Context, res *response, monitor *tree.Monitor) (int, error) {
		p.ctx, p.res, p.live.ctx = ctx, res, ctx
		err := tree.WalkFrom(ctx, h.FileSystem, name, info, depth, monitor, p.visit)
		if err == nil {
			err = p.flush()
		}
		if err == nil && p.body == nil {
			err = fs.ErrNotExist // it has gone since it was described
		}
		if p.body == nil || (err != nil && res.discard()) {
			return statusOf(err), err
		}
		return 0, p.end(err)
	})
}

// propfind writes the answer to one PROPFIND.
type propfind struct {
	handler *Handler
	ctx     context.Context //nolint:containedctx // lives as long as the request
	res     *response
	request propfindRequest
	minimal string // the header field that asks for a minimal answer
	prefix  string
	root    string
	live    liveValues
	dead    *deadReader  // nil: there is none, or none was asked for
	body    *multistatus // nil until the first resource is found

	last string // visited
	// broken are the hrefs of collections that could be read only in part, and
	// brokenErr is why.
	broken    []string
	brokenErr error
}

// newPropfind finds out what is asked once for the whole answer.
func (h *Handler) newPropfind(r *http.Request, name string, info fs.FileInfo, depth int, request propfindRequest) (*propfind, error) {
	p := &propfind{
		handler: h, request: request, minimal: minimal(r), prefix: h.prefix(), root: name,
		live: liveValues{handler: h, shared: h.locks().manager != nil},
	}
	var err error
	if request.asks(livePropIndex["lockdiscovery"]) {
		if p.live.locks, err = h.lockDiscovery(r, name, depth != 0); err != nil {
			return nil, err
		}
	}
	if info.IsDir() && (request.asks(livePropIndex["quota-available-bytes"]) || request.asks(livePropIndex["quota-used-bytes"])) {
		if p.live.quota, err = h.quotaOf(r.Context(), name); err != nil {
			return nil, err
		}
	}
	if request.asksDead() {
		p.dead, err = h.newDeadReader(r.Context(), name)
	}
	return p, err
}

// visit writes the response element of one resource, or puts it off until its
// dead properties are read together with those of others.
func (p *propfind) visit(name string, info fs.FileInfo, err error) error {
	if err != nil {
		return p.failed(name, info, err)
	}
	p.last = name
	r := resource{name: name, info: info}
	if p.dead == nil {
		return p.write(r, nil)
	}
	if !p.dead.gather(r) {
		return nil
	}
	return p.flush()
}

// flush writes what was gathered.
func (p *propfind) flush() error {
	if p.dead == nil {
		return nil
	}
	for _, found := range p.dead.read(p.ctx) {
		err := p.ctx.Err()
		if err != nil {
			return err
		}
		if found.err != nil {
			err = p.status(found.name, found.info, found.err)
		} else {
			err = p.write(found.resource, found.properties)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// failed takes note of a resource that can't be described or listed.
func (p *propfind) failed(name string, info fs.FileInfo, err error) error {
	if flushErr := p.flush(); flushErr != nil {
		return flushErr
	}
	switch shown := name == p.last || name == path.Dir(p.last); {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it has gone since it was listed
	case shown && name == p.root:
		return err
	case shown:
		// A second response element with its href is not allowed (RFC 4918
		// §14.24).
		p.broken, p.brokenErr = append(p.broken, p.handler.href(name, true)), err
		return nil
	}
	return p.status(name, info, err)
}

// status writes a response element that has only the status of err.
func (p *propfind) status(name string, info fs.FileInfo, err error) error {
	if startErr := p.start(); startErr != nil {
		return startErr
	}
	return p.body.failed(p.handler.href(name, info != nil && info.IsDir()), err)
}

// start begins the body, if it has not begun.
func (p *propfind) start() (err error) {
	if p.body != nil {
		return nil
	}
	if p.minimal != "" {
		setMinimal(p.res.Header(), p.minimal)
	}
	p.res.streamMultistatus()
	p.body, err = newMultistatus(p.res)
	return err
}

// maxBroken is how many collections a note names.
const maxBroken = 10

// end ends the body. When the walk has failed after the response was committed,
// or a collection could be read only in part, a note says that what the client
// has is not all.
func (p *propfind) end(walkErr error) error {
	note := ""
	switch {
	case errors.Is(context.Cause(p.ctx), ErrShutdown):
		note = "the listing is not complete: " + ErrShutdown.Error()
	case walkErr != nil:
		note = "the listing is not complete"
	case p.broken != nil:
		note = "the listing is not complete: not all is there of " + strings.Join(p.broken[:min(len(p.broken), maxBroken)], " ")
		if len(p.broken) > maxBroken {
			note += " and others"
		}
	}
	return errors.Join(walkErr, p.brokenErr, p.body.close(note))
}
