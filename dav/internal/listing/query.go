package listing

import (
	"encoding/xml"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/storage/deadprops"
)

// Query is a davxml.Propfind with everything that follows from it. All resources
// and all requests with the same body share it, so it must not change.
type Query struct {
	davxml.Propfind
	asked []asked
	// locks, quota and dead say whether the answer needs values of lockdiscovery, of
	// the properties of RFC 4331, of dead properties.
	locks, quota, dead bool
	// deadQuery asks for the dead properties that the answer needs. deadNames are
	// those whose presence decides what else the answer shows.
	deadQuery deadprops.Query
	deadNames []xml.Name
}

// asked is a property that a client names (RFC 4918 §9.1.3).
type asked struct {
	name xml.Name
	live *liveProp // or nil
	dead bool      // it may have a value from a client
	// empty is the property's element without content.
	empty string
}

func newQuery(request davxml.Propfind) *Query {
	query := &Query{
		Propfind: request, asked: askedProps(request.Props),
		locks: asks(request, livePropIndex["lockdiscovery"]),
		quota: asks(request, livePropIndex["quota-available-bytes"]) || asks(request, livePropIndex["quota-used-bytes"]),
	}
	for i := range query.asked {
		if query.asked[i].dead {
			query.deadNames = append(query.deadNames, query.asked[i].name)
		}
	}
	if !request.Allprop && !request.Propname {
		query.dead, query.deadQuery.Props = len(query.deadNames) > 0, query.deadNames
		return query
	}
	query.dead, query.deadQuery.NamesOnly = true, request.Propname
	for i := range liveProps {
		if liveProps[i].settable {
			query.deadNames = append(query.deadNames, davxml.Name(liveProps[i].name))
		}
	}
	return query
}

func askedProps(names []xml.Name) []asked {
	props := make([]asked, len(names))
	for i, name := range names {
		var e davxml.Elements
		e.Property(webdav.Property{XMLName: name})
		live := lookupLive(name)
		props[i] = asked{name: name, live: live, dead: live == nil || live.settable, empty: string(e.Buf)}
	}
	return props
}

// asks reports whether the client wants the value of the live property.
func asks(p davxml.Propfind, live *liveProp) bool {
	return p.Allprop && !live.named || !p.Propname && slices.Contains(p.Props, davxml.Name(live.name))
}
