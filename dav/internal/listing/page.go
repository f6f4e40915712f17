package listing

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// page holds the response elements of some resources in the order of the listing.
// Several goroutines make pages at the same time; the walk's goroutine writes them.
type page struct {
	davxml.Elements
	propfind *Answer
	missing  []*asked // scratch space
	// broken has the hrefs of collections that were listed only in part, brokenErr
	// the reason.
	broken    []string
	brokenErr error
	rootErr   error // why the root was listed only in part
	// rootOmitted means that the root would be in this page, but the client does not
	// want it.
	rootOmitted bool
	// later has the members that don't fit.
	later []tree.Member
	// rest has the members of the next page if this page ended early.
	rest []tree.Member
	// large is set if the page has a single resource that is written while it is being
	// described.
	large *largeResource
	// dead reads the dead properties of the members; nil if there are none. bytes is
	// the part of its budget that this page holds.
	dead  *deadReader
	bytes int64
}

var pages = sync.Pool{New: func() any { return new(page) }}

// maxPooledPage is the largest page whose buffer is reused, in bytes.
const maxPooledPage = 512 << 10

func (pg *page) release() {
	if pg.bytes > 0 {
		pg.dead.release(pg.bytes)
	}
	if cap(pg.Buf) > maxPooledPage {
		return
	}
	*pg = page{Elements: davxml.Elements{Buf: pg.Buf[:0]}, missing: pg.missing[:0]}
	pages.Put(pg)
}

func (p *Answer) emptyPage() *page {
	pg, _ := pages.Get().(*page)
	pg.propfind = p
	return pg
}

// newPage returns a page with the response elements of members.
func (p *Answer) newPage(ctx context.Context, members []tree.Member) *page {
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
		at := place.Place{Asked: m.Name, Canon: storage.Canon{Name: m.Name, Key: m.Name}}
		if places != nil {
			at = places[i]
		}
		switch {
		case len(pg.Buf) > maxPage:
			pg.later = members[i:]
			return
		case len(pg.Buf) > interim.LeastHeld && p.server.Held.Full():
			pg.rest = members[i:] // a client that takes nothing holds a small page
			return
		case p.server.Shadowed != nil && p.server.Shadowed(m.Name):
		case m.Err != nil:
			pg.failed(m)
		case p.about.NoRoot && m.Name == p.about.Name:
			pg.rootOmitted = true
		default:
			pg.resource(resource{name: m.Name, info: m.Info, at: at}, dead.found[at.Key])
		}
	}
}

// failed records that m can't be described or listed.
func (pg *page) failed(m *tree.Member) {
	switch {
	case errors.Is(m.Err, fs.ErrNotExist): // removed since the walk found it
	case m.Partial && m.Name == pg.propfind.about.Name:
		pg.rootErr = m.Err
	case m.Partial:
		// The collection has a response element already, and a second one with its
		// href is not allowed (RFC 4918 §14.24).
		pg.broken, pg.brokenErr = append(pg.broken, pg.propfind.server.href(m.Name, true)), m.Err
	default:
		pg.status(m, m.Err)
	}
}

// status appends a response element for m with only the status of err.
func (pg *page) status(m *tree.Member, err error) {
	pg.Failed(pg.propfind.server.href(m.Name, m.Info != nil && m.Info.IsDir()), err)
}

// resource appends the response element of a resource with its properties. dead is
// sorted by name.
func (pg *page) resource(r resource, dead []webdav.Property) {
	p := pg.propfind
	pg.Open(p.server.Prefix, p.server.shown(r.name), r.info.IsDir())
	switch {
	case p.about.Query.Propname:
		pg.names(r, dead)
	case p.about.Query.Allprop:
		pg.all(r, dead)
	default:
		pg.named(r, dead)
	}
	pg.End()
}

// notFound appends a propstat with the missing properties, if any.
func (pg *page) notFound() {
	if pg.propfind.about.Minimal == "" {
		pg.withoutValue(pg.missing, &status.Error{Status: http.StatusNotFound})
	}
}

// withoutValue appends a propstat with props, if there are any, and why they have no value.
func (pg *page) withoutValue(props []*asked, why *status.Error) {
	if len(props) == 0 {
		return
	}
	pg.OpenPropstat()
	for _, prop := range props {
		pg.Buf = append(pg.Buf, prop.empty...)
	}
	pg.ClosePropstatOf(why)
}
