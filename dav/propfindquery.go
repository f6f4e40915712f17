package dav

import (
	"encoding/xml"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// propfindQuery is a propfindRequest with all that follows from it, found out once
// for all resources, and for all requests with the same body. It is not changed.
type propfindQuery struct {
	propfindRequest
	asked []asked
	// locks, quota, dead: values of lockdiscovery, of the properties of RFC 4331,
	// of dead properties are needed.
	locks, quota, dead bool
	// deadQuery asks for the dead properties that are needed. deadNames are those
	// whose presence decides what else is shown.
	deadQuery deadprops.Query
	deadNames []xml.Name
}

// asked is a property that a client names (RFC 4918 §9.1.3).
type asked struct {
	name xml.Name
	live *liveProp // or nil
	dead bool      // it may have a client's value
	// empty is its element without content.
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
