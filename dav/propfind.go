package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"net/http"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// servePropfind answers with the properties of the resource and, by Depth, of
// what is below it (RFC 4918 §9.1). It stops when the client goes.
func (h *Handler) servePropfind(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	depth, err := depth(r, tree.Infinite, "0", "1", "infinity")
	if err != nil {
		return statusOf(err), err
	}
	request, err := readPropfind(w, r)
	if err != nil {
		return statusOf(err), err
	}
	info, err := h.FileSystem.Stat(r.Context(), name)
	if err != nil {
		return statusOf(err), err
	}
	about := Operation{Source: name}
	return h.operate(w, r, about, true, func(ctx context.Context, res *response, monitor *tree.Monitor) (int, error) {
		p := &propfind{handler: h, ctx: ctx, res: res, request: request, prefix: h.prefix()}
		err := tree.WalkFrom(ctx, h.FileSystem, name, info, depth, monitor, p.visit)
		if p.body == nil || (err != nil && res.discard()) {
			return statusOf(err), err
		}
		return 0, p.end(name, err)
	})
}

// propfind writes the answer to one PROPFIND.
type propfind struct {
	handler *Handler
	ctx     context.Context //nolint:containedctx // lives as long as the request
	res     *response
	request propfindRequest
	prefix  string
	body    *multistatus // nil until the first resource is found
}

// visit writes the response element of one resource.
func (p *propfind) visit(name string, info fs.FileInfo, err error) error {
	if p.body == nil {
		p.res.streamMultistatus()
		var startErr error
		if p.body, startErr = newMultistatus(p.res); startErr != nil {
			return startErr
		}
	}
	var dead map[xml.Name]webdav.Property
	if err == nil {
		dead, err = storage.ReadDeadProps(p.ctx, p.handler.FileSystem, name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it has gone since it was listed
	case err != nil:
		return p.body.failed(p.prefix, name, info != nil && info.IsDir(), statusOf(err))
	}
	p.body.open(p.prefix, name, info.IsDir())
	resource := resource{name: name, info: info}
	switch {
	case p.request.propname:
		p.names(resource, dead)
	case p.request.allprop:
		p.all(resource, dead)
	default:
		p.named(resource, dead, p.request.props)
	}
	return p.body.end()
}

// end ends the body. When the walk has failed after the response was committed,
// the client is told so for the request URI: what it has is not all.
func (p *propfind) end(name string, walkErr error) error {
	if walkErr == nil {
		return p.body.close("")
	}
	status := statusOf(walkErr)
	if errors.Is(context.Cause(p.ctx), ErrShutdown) {
		status = http.StatusServiceUnavailable
	}
	return errors.Join(walkErr,
		p.body.failed(p.prefix, name, true, status),
		p.body.close("the listing is not complete"))
}

// names writes the names of all properties (RFC 4918 §9.1.4).
func (p *propfind) names(r resource, dead map[xml.Name]webdav.Property) {
	p.body.openPropstat()
	for i := range liveProps {
		if live := &liveProps[i]; live.defined(r.info) {
			p.body.davProperty(live.name, nil)
		}
	}
	for name := range dead {
		p.body.property(webdav.Property{XMLName: name})
	}
	p.body.closePropstat(http.StatusOK)
}

// all writes all live and dead properties, and those to include (RFC 4918
// §9.1.5).
func (p *propfind) all(r resource, dead map[xml.Name]webdav.Property) {
	p.body.openPropstat()
	for i := range liveProps {
		if live := &liveProps[i]; live.defined(r.info) {
			p.live(live, r)
		}
	}
	for _, property := range dead {
		p.body.property(property)
	}
	p.body.closePropstat(http.StatusOK)
	var missing []xml.Name
	for _, name := range p.request.props {
		_, isDead := dead[name]
		if live := lookupLive(name); !isDead && (live == nil || !live.defined(r.info)) {
			missing = append(missing, name)
		}
	}
	p.missing(missing)
}

// named writes the properties asked for: those found, then those not found
// (RFC 4918 §9.1.1).
func (p *propfind) named(r resource, dead map[xml.Name]webdav.Property, names []xml.Name) {
	var missing []xml.Name
	start := len(p.body.buf)
	p.body.openPropstat()
	empty := len(p.body.buf)
	for _, name := range names {
		live := lookupLive(name)
		if property, isDead := dead[name]; isDead {
			p.body.property(property)
		} else if live != nil && live.defined(r.info) {
			p.live(live, r)
		} else {
			missing = append(missing, name)
		}
	}
	if len(p.body.buf) == empty && len(missing) > 0 {
		p.body.buf = p.body.buf[:start]
	} else {
		p.body.closePropstat(http.StatusOK)
	}
	p.missing(missing)
}

func (p *propfind) live(live *liveProp, r resource) {
	p.body.davProperty(live.name, func(dst []byte) []byte { return live.value(p.ctx, dst, r) })
}

// missing writes the propstat of properties that were not found, if any.
func (p *propfind) missing(names []xml.Name) {
	if len(names) == 0 {
		return
	}
	p.body.openPropstat()
	for _, name := range names {
		p.body.property(webdav.Property{XMLName: name})
	}
	p.body.closePropstat(http.StatusNotFound)
}

// lookupLive returns the live property name, or nil.
func lookupLive(name xml.Name) *liveProp {
	if name.Space != "DAV:" {
		return nil
	}
	return livePropIndex[name.Local]
}
