package listing

import (
	"context"
	"encoding/xml"
	"errors"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// maxPage is the size of a page in bytes after which no more members are added. The
// remaining members are described one by one when their turn to be written comes.
const maxPage = maxPooledPage

// deliverLater describes and writes members that did not fit in a page.
func (p *Answer) deliverLater(ctx context.Context, members []tree.Member) error {
	for i := range members {
		if err := ctx.Err(); err != nil {
			return err
		}
		pg := p.emptyPage()
		pg.large = &largeResource{ctx: ctx}
		pg.describeLarge(&members[i])
		err := pg.large.err
		if err == nil {
			err = p.deliver(ctx, pg)
		}
		pg.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// largeResource is a resource that is written while it is described.
type largeResource struct {
	ctx context.Context //nolint:containedctx // lives as long as the page
	// paged means that the store has more dead properties than fit in memory. Then
	// the page knows only the names.
	paged bool
	// unread has the requested properties that could not be read, unreadErr the
	// reason.
	unread    []*asked
	unreadErr error
	// spilled means that a part of the page has been written.
	spilled bool
	err     error // the first write error
}

// describeLarge appends the response element of one resource.
func (pg *page) describeLarge(m *tree.Member) {
	p, large := pg.propfind, pg.large
	switch {
	case m.Err != nil:
		pg.failed(m)
		return
	case p.about.NoRoot && m.Name == p.about.Name:
		pg.rootOmitted = true
		return
	}
	at := p.placeOf(large.ctx, m.Name)
	var dead []webdav.Property
	if pg.dead = p.reader(m); pg.dead != nil {
		found, next, err := pg.dead.readPage(large.ctx, at.Key, xml.Name{})
		if large.paged = err == nil && next != nil; large.paged {
			found, err = pg.dead.readNames(large.ctx, at.Key, p.about.Query.deadNames)
		}
		if err != nil {
			pg.status(m, err)
			return
		}
		dead = found
	}
	pg.resource(resource{name: m.Name, info: m.Info, at: at}, dead)
}

// spill writes the content of the page if it is large enough. Call it only between two
// elements.
func (pg *page) spill() {
	if pg.large == nil || len(pg.Buf) < interim.GatherBytes || pg.large.err != nil {
		return
	}
	p := pg.propfind
	err := p.start()
	if err == nil {
		err = p.body.Write(pg.Buf)
	}
	if pg.Buf = pg.Buf[:0]; cap(pg.Buf) > 2*interim.GatherBytes {
		pg.Buf = nil
	}
	pg.large.spilled, pg.large.err = true, err
}

// allDead appends all dead properties of r. dead has the ones in memory.
func (pg *page) allDead(r resource, dead []webdav.Property) {
	if pg.large == nil || !pg.large.paged {
		for _, property := range dead {
			pg.shownDead(property)
		}
		return
	}
	if err := pg.pagedDead(r.at.Key); err != nil {
		// The element has begun, so only the note at the end can tell the client.
		pg.broken = append(pg.broken, pg.propfind.server.href(r.name, r.info.IsDir()))
		pg.brokenErr = err
	}
}

// shownDead appends a dead property for allprop or propname.
func (pg *page) shownDead(property webdav.Property) {
	if !Protected(property.XMLName) {
		pg.Property(property)
		pg.spill()
	}
}

// pagedDead reads and appends all dead properties of the resource with the key name,
// page by page.
func (pg *page) pagedDead(name string) error {
	large, reader := pg.large, pg.dead
	var after xml.Name
	for large.err == nil {
		props, next, err := reader.readPage(large.ctx, name, after)
		if err != nil {
			return err
		}
		for _, property := range props {
			pg.shownDead(property)
			after = property.XMLName
		}
		switch {
		case next == nil:
			return nil
		case len(props) > 0:
			continue
		}
		after = next.Name
		if _, err := reader.readOne(large.ctx, name, next.Name, func(property webdav.Property) error {
			pg.shownDead(property)
			return large.err
		}); err != nil && large.err == nil {
			return err
		}
	}
	return nil
}

// namedDead appends the dead property of r that prop asks for. It reports false if r no
// longer has it.
func (pg *page) namedDead(r resource, prop *asked, property webdav.Property) bool {
	if pg.large == nil || !pg.large.paged {
		pg.Property(property)
		return true
	}
	large := pg.large
	if large.err != nil {
		return true
	}
	found, err := pg.dead.readOne(large.ctx, r.at.Key, prop.name, func(property webdav.Property) error {
		pg.Property(property)
		pg.spill()
		return large.err
	})
	if err != nil && large.err == nil {
		large.unread, large.unreadErr = append(large.unread, prop), err
		return true
	}
	return found || err != nil
}

// notRead appends a propstat with the properties that could not be read, if any.
func (pg *page) notRead() {
	if pg.large == nil {
		return
	}
	why, own := errors.AsType[*status.Error](pg.large.unreadErr)
	if !own {
		why = &status.Error{Status: status.Of(pg.large.unreadErr)}
	}
	pg.withoutValue(pg.large.unread, why)
}
