package dav

import (
	"encoding/xml"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// propfindQuery is a propfindRequest with everything that follows from it. All resources
// and all requests with the same body share it, so it must not change.
type propfindQuery struct {
	propfindRequest
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

func newPropfindQuery(request propfindRequest) *propfindQuery {
	query := &propfindQuery{
		propfindRequest: request, asked: askedProps(request.props),
		locks: request.asks(livePropIndex["lockdiscovery"]),
		quota: request.asks(livePropIndex["quota-available-bytes"]) || request.asks(livePropIndex["quota-used-bytes"]),
		dead:  request.asksDead(),
	}
	query.deadQuery, query.deadNames = deadQueryOf(request, query.asked)
	return query
}

func askedProps(names []xml.Name) []asked {
	props := make([]asked, len(names))
	for i, name := range names {
		var e elements
		e.property(webdav.Property{XMLName: name})
		live := lookupLive(name)
		props[i] = asked{name: name, live: live, dead: live == nil || live.settable, empty: string(e.buf)}
	}
	return props
}
