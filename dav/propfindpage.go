package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/tree"
)

// page is the response elements of some resources, in their order. One goroutine
// makes it, while others make other pages, and the walk's own writes it.
type page struct {
	elements
	propfind *propfind
	missing  []*asked // scratch space
	// broken are the hrefs of collections that were not listed as a whole.
	broken    []string
	brokenErr error
	rootErr   error // why the root was not
	// rootOmitted: the root was described, and the client doesn't want it.
	rootOmitted bool
	// later are members that don't fit.
	later []tree.Member
	// large is not nil if this is one resource that is written while it is described.
	large *largeResource
	// dead reads the dead properties of what is described, nil if there are none. bytes
	// is what those in the page hold of its budget.
	dead  *deadReader
	bytes int64
}

var pages = sync.Pool{New: func() any { return new(page) }}

// maxPooledPage is how large a page is kept for another one, in bytes.
const maxPooledPage = 512 << 10

func (pg *page) release() {
	if pg.bytes > 0 {
		pg.dead.release(pg.bytes)
	}
	if cap(pg.buf) > maxPooledPage {
		return
	}
	*pg = page{elements: elements{buf: pg.buf[:0]}, missing: pg.missing[:0]}
	pages.Put(pg)
}

func (p *propfind) emptyPage() *page {
	pg, _ := pages.Get().(*page)
	pg.propfind = p
	return pg
}

// newPage describes members.
func (p *propfind) newPage(ctx context.Context, members []tree.Member) *page {
	pg := p.emptyPage()
	pg.describe(ctx, members)
	return pg
}

// describe appends the response elements of members.
func (pg *page) describe(ctx context.Context, members []tree.Member) {
	p := pg.propfind
	places := p.places(ctx, members)
	dead := pg.readDead(ctx, members, places)
	if dead.large {
		pg.later = members
		return
	}
	for i := range members {
		m := &members[i]
		at := place{asked: m.Name, key: m.Name}
		if places != nil {
			at = places[i]
		}
		switch {
		case len(pg.buf) > maxPage:
			pg.later = members[i:]
			return
		case m.Err != nil:
			pg.failed(m)
		case p.noRoot && m.Name == p.root:
			pg.rootOmitted = true
		case dead.failures[at.key] != nil:
			pg.status(m, dead.failures[at.key])
		default:
			pg.resource(resource{name: m.Name, info: m.Info, at: at}, dead.found[at.key])
		}
	}
}

// failed takes note of a resource that can't be described or listed.
func (pg *page) failed(m *tree.Member) {
	switch {
	case errors.Is(m.Err, fs.ErrNotExist): // it has gone since it was found
	case m.Partial && m.Name == pg.propfind.root:
		pg.rootErr = m.Err
	case m.Partial:
		// A second response element with its href is not allowed (RFC 4918
		// §14.24).
		pg.broken, pg.brokenErr = append(pg.broken, pg.propfind.handler.href(m.Name, true)), m.Err
	default:
		pg.status(m, m.Err)
	}
}

// status appends a response element that has only the status of err.
func (pg *page) status(m *tree.Member, err error) {
	pg.elements.failed(pg.propfind.handler.href(m.Name, m.Info != nil && m.Info.IsDir()), err)
}

// resource appends the response element of a resource with its properties. dead
// is in the order of the names.
func (pg *page) resource(r resource, dead []webdav.Property) {
	p := pg.propfind
	pg.open(p.prefix, r.name, r.info.IsDir())
	switch {
	case p.query.propname:
		pg.names(r, dead)
	case p.query.allprop:
		pg.all(r, dead)
	default:
		pg.named(r, dead)
	}
	pg.end()
}

// notFound appends the propstat of the properties that are missing, if any.
func (pg *page) notFound() {
	if len(pg.missing) == 0 || pg.propfind.minimal != "" {
		return
	}
	pg.openPropstat()
	for _, prop := range pg.missing {
		pg.buf = append(pg.buf, prop.empty...)
	}
	pg.closePropstat(http.StatusNotFound)
}
