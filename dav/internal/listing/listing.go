// Package listing writes the answer to a PROPFIND (RFC 4918 §9.1): the properties of a
// resource and its members, in memory that does not grow with their number.
package listing

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

// Answer answers one PROPFIND: with the properties of the resource and, depending on Depth,
// of its members.
type Answer struct {
	server Server
	about  Request
	ctx    context.Context //nolint:containedctx // lives as long as the request
	res    *interim.Response
	at     place.Place // the place of the resource; zero if the query needs neither locks nor dead properties
	live   liveValues
	dead   *deadReader // nil if the tree has no dead properties or the query needs none
	// linkedDead is the result of deadOfLinks, which makes it once.
	linkedDead *deadReader
	linkedOnce sync.Once
	body       *interim.Stream // nil until the first resource is found

	// broken has the hrefs of collections that could be read only in part, brokenErr
	// the reason.
	broken    []string
	brokenErr error
}

// Server is what a listing needs of the server.
type Server struct {
	Names  place.Resolver
	Prefix string // of URL paths
	// Cut is the part of each name that Prefix replaces.
	Cut string
	// Shadowed, if not nil, reports whether a URL path stands for something else than the name
	// that it would have, so that the listing must leave it out.
	Shadowed   func(name string) bool
	ReadOnly   bool // nothing can be changed
	Locks      *locktable.Table
	Properties interface {
		Of(context.Context) deadprops.Store
	}
	// DeadBytes limits the memory for dead properties, and Held that for answers.
	DeadBytes *limit.Budget
	Held      *interim.Held
}

func (s *Server) href(name string, collection bool) string {
	return string(field.AppendHref(nil, s.Prefix, s.shown(name), collection))
}

// shown returns the part of name that follows Prefix.
func (s *Server) shown(name string) string {
	if name = name[len(s.Cut):]; name == "" {
		return "/"
	}
	return name
}

// Request is a PROPFIND after its checks.
type Request struct {
	// Name is the storage name of the resource, which Info describes.
	Name string
	Info fs.FileInfo
	// Depth is 0, 1 or tree.Infinite. NoRoot leaves out the resource itself.
	Depth  int
	NoRoot bool
	// NoQuota leaves out the properties of RFC 4331.
	NoQuota bool
	// Minimal is the header field that asks for an answer without the missing properties,
	// or "".
	Minimal string
	Query   *Query
	// Others are listed as if they were members of the resource, unless Depth is 0.
	Others []Tree
}

// Tree is a tree that is mounted in the one that is listed.
type Tree struct {
	Server Server
	Name   string
}

// Open looks up everything that the whole answer to r shares. The caller must call Close.
func (s Server) Open(ctx context.Context, r Request) (*Answer, error) {
	p := &Answer{
		server: s, ctx: ctx, about: r,
		live: liveValues{ctx: ctx, shared: !s.Locks.Plain(), fsys: s.Names.FS, readOnly: s.ReadOnly},
	}
	var err error
	if err = p.lookUp(ctx, r.Info, r.Depth); err != nil {
		return nil, err
	}
	if r.Info.IsDir() && r.Query.quota && !r.NoQuota {
		if p.live.quotas, err = openQuotas(ctx, s.Names.FS, r.Name); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// One answers with the resource alone, after calling answering. It does nothing and
// reports false if the resource has more dead properties than fit in memory.
func (p *Answer) One(w http.ResponseWriter, answering func()) (done bool, err error) {
	pg := p.emptyPage()
	defer pg.release()
	pg.Buf = append(pg.Buf, davxml.Start...)
	pg.describe(p.ctx, []tree.Member{{Name: p.about.Name, Info: p.about.Info}})
	if len(pg.later) > 0 {
		return false, nil
	}
	pg.Buf = davxml.AppendEnd(pg.Buf, "")
	answering()
	header := w.Header()
	if p.about.Minimal != "" {
		field.SetMinimal(header, p.about.Minimal)
	}
	// Set would allocate for each header.
	values := [...]string{strconv.Itoa(len(pg.Buf)), davxml.ContentType}
	header["Content-Length"], header["Content-Type"] = values[:1:1], values[1:]
	w.WriteHeader(http.StatusMultiStatus)
	_, err = w.Write(pg.Buf)
	return true, err
}

// Write walks the tree and writes the answer to res. walk says how; Write sets what to
// walk.
func (p *Answer) Write(ctx context.Context, res *interim.Response, walk tree.Walk) error {
	p.ctx, p.res, p.live.ctx = ctx, res, ctx
	walk.FS, walk.Root, walk.Info, walk.Depth, walk.Prepare = p.server.Names.FS, p.about.Name, p.about.Info, p.about.Depth, p.prepare
	err := walk.Run(ctx)
	for _, other := range p.about.Others {
		if err == nil && p.about.Depth != 0 {
			err = p.other(ctx, walk, other)
		}
	}
	if err == nil && p.body == nil {
		err = fs.ErrNotExist // the resource was removed meanwhile
	}
	if p.body == nil || err != nil && p.res.Discard() {
		return err
	}
	return status.Logged(p.end(err))
}

// other lists another tree, as if it were a member of the resource.
func (p *Answer) other(ctx context.Context, walk tree.Walk, of Tree) error {
	info, err := of.Server.Names.Stat(ctx, of.Name)
	if code := status.Of(err); code == http.StatusNotFound || code == http.StatusForbidden {
		return nil
	}
	about := p.about
	about.Name, about.Info, about.Others, about.NoRoot = of.Name, info, nil, false
	if about.Depth == 1 {
		about.Depth = 0
	}
	var sub *Answer
	if err == nil {
		sub, err = of.Server.Open(ctx, about)
	}
	if err != nil {
		pg := p.emptyPage()
		defer pg.release()
		pg.Failed(of.Server.href(of.Name, true), err)
		return p.deliver(ctx, pg)
	}
	defer sub.Close()
	sub.res, sub.live.ctx, sub.body = p.res, ctx, p.body
	walk.FS, walk.Root, walk.Info, walk.Depth, walk.Prepare = of.Server.Names.FS, of.Name, info, about.Depth, sub.prepare
	err = walk.Run(ctx)
	p.body = sub.body
	if sub.brokenErr != nil {
		p.broken, p.brokenErr = append(p.broken, sub.broken...), sub.brokenErr
	}
	return err
}

// prepare describes members and returns a function that writes the result.
func (p *Answer) prepare(ctx context.Context, members []tree.Member) func() error {
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
func (p *Answer) deliver(ctx context.Context, pg *page) error {
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
func (p *Answer) start() error {
	if p.body != nil {
		return nil
	}
	if p.about.Minimal != "" {
		field.SetMinimal(p.res.Header(), p.about.Minimal)
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
func (p *Answer) end(walkErr error) error {
	note := ""
	switch {
	case errors.Is(context.Cause(p.ctx), status.ErrShutdown):
		note = "the listing is not complete: " + status.ErrShutdown.Error()
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
