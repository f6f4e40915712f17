package listing

import (
	"encoding/xml"
	"net/http"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/storage/deadprops"
)

// names appends the names of all properties (RFC 4918 §9.1.4). dead has no values.
func (pg *page) names(r resource, dead []webdav.Property) {
	pg.OpenPropstat()
	for i := range liveProps {
		if live := &liveProps[i]; shown(live, dead) && pg.has(live, r) {
			pg.Buf = append(pg.Buf, live.empty...)
		}
	}
	pg.allDead(r, dead)
	pg.ClosePropstat(http.StatusOK)
}

// all appends all live and dead properties, and those of an include element (RFC 4918
// §9.1.5).
func (pg *page) all(r resource, dead []webdav.Property) {
	p := pg.propfind
	pg.OpenPropstat()
	for i := range liveProps {
		if live := &liveProps[i]; shown(live, dead) {
			appendLive(&pg.Elements, live, &p.live, r)
		}
	}
	pg.allDead(r, dead)
	pg.missing = pg.missing[:0]
	for i := range p.about.Query.asked {
		prop := &p.about.Query.asked[i]
		if _, isDead := find(dead, prop.name); isDead {
			continue
		}
		live := prop.live
		if live == nil || live.named && !appendLive(&pg.Elements, live, &p.live, r) || !live.named && !pg.has(live, r) {
			pg.missing = append(pg.missing, prop)
		}
	}
	pg.ClosePropstat(http.StatusOK)
	pg.notFound()
}

// shown reports whether allprop and propname show a live property. They don't if the
// property is settable and a client has set it, because then dead has its value.
func shown(live *liveProp, dead []webdav.Property) bool {
	if live.named {
		return false
	}
	if len(dead) == 0 || !live.settable {
		return true
	}
	_, set := find(dead, davxml.Name(live.name))
	return !set
}

// named appends the properties that the request names: first those found, then the
// missing ones (RFC 4918 §9.1.1).
func (pg *page) named(r resource, dead []webdav.Property) {
	p := pg.propfind
	start := len(pg.Buf)
	pg.OpenPropstat()
	empty := len(pg.Buf)
	pg.missing = pg.missing[:0]
	for i := range p.about.Query.asked {
		prop := &p.about.Query.asked[i]
		if prop.dead {
			if property, isDead := find(dead, prop.name); isDead && pg.namedDead(r, prop, property) {
				continue
			}
		}
		if prop.live == nil || !appendLive(&pg.Elements, prop.live, &p.live, r) {
			pg.missing = append(pg.missing, prop)
		}
	}
	// Drop an empty propstat unless it is the only one: a response element must have
	// one (RFC 4918 §14.24).
	if spilled := pg.large != nil && pg.large.spilled; !spilled && len(pg.Buf) == empty && len(pg.missing) > 0 && p.about.Minimal == "" {
		pg.Buf = pg.Buf[:start]
	} else {
		pg.ClosePropstat(http.StatusOK)
	}
	pg.notRead()
	pg.notFound()
}

// has reports whether r has the live property.
func (pg *page) has(live *liveProp, r resource) bool {
	_, defined := live.append(&pg.propfind.live, pg.Buf, r)
	return defined
}

// find returns the property name in properties, which are sorted by name.
func find(properties []webdav.Property, name xml.Name) (webdav.Property, bool) {
	i, found := slices.BinarySearchFunc(properties, name, func(p webdav.Property, name xml.Name) int {
		return deadprops.Compare(p.XMLName, name)
	})
	if !found {
		return webdav.Property{}, false
	}
	return properties[i], true
}
