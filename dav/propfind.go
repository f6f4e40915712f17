package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/tree"
)

// propfind answers with the properties of the resource and, depending on Depth, of
// its members (RFC 4918 §9.1). It stops if the client disconnects.
func (h *Handler) propfind(w http.ResponseWriter, r *request) error {
	depth, noRoot, err := r.depthField().InListing(r.Method)
	if err != nil {
		return err
	}
	query, err := readXML(h, w, r, h.propfinds.read)
	if err != nil {
		return err
	}
	info, err := h.names().Stat(r.Context(), r.name)
	if err != nil {
		return err
	}
	if err := h.conditions(r, info); err != nil {
		return err
	}
	if info.IsDir() {
		h.setContentLocation(w.Header(), r, r.name)
		leave, err := h.enterListing(r, depth)
		if err != nil {
			return err
		}
		defer leave()
	}
	p, err := h.newPropfind(r, r.name, info, depth, query)
	if err != nil {
		return err
	}
	p.noRoot = noRoot
	defer p.closeDead()
	if h.isOne(r, info, depth) {
		if done, err := p.one(w, r, info); done {
			return status.Logged(err)
		}
	}
	monitor := new(tree.Monitor)
	listing := operation.Listing{Source: r.name, Watch: treeMonitor{monitor}, Status: http.StatusMultiStatus}
	emission := h.emission(r.Request, r.Method, r.name)
	return h.registry().Follow(w, h.operationRequest(r, operation.Key{}), emission, listing, func(ctx context.Context, x *operation.Exchange) error {
		p.ctx, p.res, p.live.ctx = ctx, x.Response, ctx
		walk := tree.Walk{FS: h.FileSystem, Root: r.name, Info: info, Depth: depth, Limit: h.Listings.Infinity, Workers: h.workers(), Monitor: monitor, Prepare: p.prepare}
		return p.run(&walk)
	})
}

// propfind writes the answer to one PROPFIND.
type propfind struct {
	handler *Handler
	ctx     context.Context //nolint:containedctx // lives as long as the request
	res     *interim.Response
	query   *propfindQuery
	minimal string // the header field that asks for a minimal answer
	prefix  string
	root    string
	noRoot  bool        // the answer leaves out root itself
	at      place.Place // the place of root; zero if the query needs neither locks nor dead properties
	live    liveValues
	dead    *deadReader // nil if the tree has no dead properties or the query needs none
	// linkedDead is the result of deadOfLinks, which makes it once, with the context
	// lookedUp.
	linkedDead *deadReader
	linkedOnce sync.Once
	lookedUp   context.Context //nolint:containedctx // of the request
	body       *interim.Stream // nil until the first resource is found

	// broken has the hrefs of collections that could be read only in part, brokenErr
	// the reason.
	broken    []string
	brokenErr error
}

// newPropfind returns a propfind after looking up everything that the whole answer
// shares.
func (h *Handler) newPropfind(r *request, name string, info fs.FileInfo, depth int, query *propfindQuery) (*propfind, error) {
	p := &propfind{
		handler: h, query: query, minimal: r.preferences().Minimal, prefix: h.prefix(), root: name,
		live: liveValues{handler: h, shared: !h.locks().Plain()},
	}
	var err error
	if err = p.lookUp(r, info, depth); err != nil {
		return nil, err
	}
	if info.IsDir() && query.quota {
		if p.live.quota, err = h.quotaOf(r.Context(), name); err != nil {
			return nil, err
		}
	}
	return p, err
}

// run walks the tree and writes the answer.
func (p *propfind) run(walk *tree.Walk) error {
	err := walk.Run(p.ctx)
	if err == nil && p.body == nil {
		err = fs.ErrNotExist // the resource was removed meanwhile
	}
	if p.body == nil || err != nil && p.res.Discard() {
		return err
	}
	return status.Logged(p.end(err))
}

// prepare describes members and returns a function that writes the result.
func (p *propfind) prepare(ctx context.Context, members []tree.Member) func() error {
	pg := p.newPage(ctx, members)
	return func() error {
		for {
			err, rest := p.deliver(ctx, pg), pg.rest
			pg.release()
			if err != nil || rest == nil {
				return err
			}
			pg = p.newPage(ctx, rest)
		}
	}
}

// deliver writes a page and the members that did not fit in it.
func (p *propfind) deliver(ctx context.Context, pg *page) error {
	if pg.brokenErr != nil {
		p.brokenErr = pg.brokenErr
		p.broken = append(p.broken, pg.broken[:min(len(pg.broken), maxBroken+1-len(p.broken))]...)
	}
	if len(pg.Buf) > 0 || pg.rootOmitted {
		if err := p.start(); err != nil {
			return err
		}
		if err := p.body.Write(pg.Buf); err != nil {
			return err
		}
	}
	if pg.rootErr != nil {
		return pg.rootErr
	}
	return p.deliverLater(ctx, pg.later)
}

// start begins the body unless it has begun already.
func (p *propfind) start() error {
	if p.body != nil {
		return nil
	}
	if p.minimal != "" {
		setMinimal(p.res.Header(), p.minimal)
	}
	p.res.StreamMultistatus()
	davxml.SetMultistatus(p.res)
	p.body = interim.NewStream(p.res)
	return p.body.Write([]byte(davxml.Start))
}

// maxBroken is the number of collections that the note of end names.
const maxBroken = 10

// end ends the body. If the walk failed after the response was committed, or a
// collection could be read only in part, a note says that the listing is not complete.
func (p *propfind) end(walkErr error) error {
	note := ""
	switch {
	case errors.Is(context.Cause(p.ctx), ErrShutdown):
		note = "the listing is not complete: " + ErrShutdown.Error()
	case walkErr != nil:
		note = "the listing is not complete"
	case p.broken != nil:
		note = "the listing is not complete: it lacks members of " + strings.Join(p.broken[:min(len(p.broken), maxBroken)], " ")
		if len(p.broken) > maxBroken {
			note += " and others"
		}
	}
	return errors.Join(walkErr, p.brokenErr, p.body.End(davxml.AppendEnd(nil, note)))
}
