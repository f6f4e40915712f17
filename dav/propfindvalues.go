package dav

import (
	"encoding/xml"
	"net/http"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// write writes the response element of a resource with its properties. dead is
// in the order of the names.
func (p *propfind) write(r resource, dead []webdav.Property) error {
	if err := p.start(); err != nil {
		return err
	}
	p.body.open(p.prefix, r.name, r.info.IsDir())
	switch {
	case p.request.propname:
		p.names(r, dead)
	case p.request.allprop:
		p.all(r, dead)
	default:
		p.named(r, dead)
	}
	return p.body.end()
}

// names writes the names of all properties (RFC 4918 §9.1.4).
func (p *propfind) names(r resource, dead []webdav.Property) {
	p.body.openPropstat()
	p.each(dead, func(live *liveProp) {
		if p.has(live, r) {
			p.body.davProperty(live.name, nil)
		}
	}, func(property webdav.Property) {
		p.body.property(webdav.Property{XMLName: property.XMLName})
	})
	p.body.closePropstat(http.StatusOK, "")
}

// all writes all live and dead properties, and those to include (RFC 4918
// §9.1.5).
func (p *propfind) all(r resource, dead []webdav.Property) {
	p.body.openPropstat()
	p.each(dead, func(live *liveProp) { p.value(live, r) }, p.body.property)
	var missing []xml.Name
	for _, name := range p.request.props {
		live := lookupLive(name)
		if _, isDead := find(dead, name); isDead {
			continue
		}
		if live == nil || live.named && !p.value(live, r) || !live.named && !p.has(live, r) {
			missing = append(missing, name)
		}
	}
	p.body.closePropstat(http.StatusOK, "")
	p.missing(missing)
}

// each calls live and dead for what allprop and propname show: of a property
// that is both, a client's value stands before the server's only if it may be
// set.
func (p *propfind) each(properties []webdav.Property, live func(*liveProp), dead func(webdav.Property)) {
	for i := range liveProps {
		if liveProps[i].named {
			continue
		}
		if liveProps[i].settable {
			if _, set := find(properties, davName(liveProps[i].name)); set {
				continue
			}
		}
		live(&liveProps[i])
	}
	for _, property := range properties {
		if !protected(property.XMLName) {
			dead(property)
		}
	}
}

// named writes the properties asked for: those found, then those not found
// (RFC 4918 §9.1.1).
func (p *propfind) named(r resource, dead []webdav.Property) {
	var missing []xml.Name
	start := len(p.body.buf)
	p.body.openPropstat()
	empty := len(p.body.buf)
	for _, name := range p.request.props {
		live := lookupLive(name)
		if live == nil || live.settable {
			if property, isDead := find(dead, name); isDead {
				p.body.property(property)
				continue
			}
		}
		if live == nil || !p.value(live, r) {
			missing = append(missing, name)
		}
	}
	// A response element must have a propstat (RFC 4918 §14.24).
	if len(p.body.buf) == empty && len(missing) > 0 && p.minimal == "" {
		p.body.buf = p.body.buf[:start]
	} else {
		p.body.closePropstat(http.StatusOK, "")
	}
	p.missing(missing)
}

// value writes a live property, if r has it.
func (p *propfind) value(live *liveProp, r resource) bool {
	return p.body.davProperty(live.name, func(dst []byte) ([]byte, bool) { return live.append(&p.live, dst, r) })
}

// has reports whether r has a live property.
func (p *propfind) has(live *liveProp, r resource) bool {
	_, defined := live.append(&p.live, p.body.buf, r)
	return defined
}

// missing writes the propstat of properties that were not found, if any.
func (p *propfind) missing(names []xml.Name) {
	if len(names) == 0 || p.minimal != "" {
		return
	}
	p.body.openPropstat()
	for _, name := range names {
		p.body.property(webdav.Property{XMLName: name})
	}
	p.body.closePropstat(http.StatusNotFound, "")
}

// find returns the property name of properties, which are in the order of their
// names.
func find(properties []webdav.Property, name xml.Name) (webdav.Property, bool) {
	i, found := slices.BinarySearchFunc(properties, name, func(p webdav.Property, name xml.Name) int {
		return deadprops.Compare(p.XMLName, name)
	})
	if !found {
		return webdav.Property{}, false
	}
	return properties[i], true
}
