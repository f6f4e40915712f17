package dav_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/davd/davd/dav/interim"
)

// TestPropfindOne checks that the immediate answer for one resource is the same as that
// of an operation, which a client that asks for interim responses gets.
func TestPropfindOne(t *testing.T) {
	for _, c := range []struct {
		name, target, body string
		fields             []string
	}{
		{name: "RFC 4918 §9.1 no body", target: "/f"},
		{name: "RFC 4918 §9.1.1 named", target: "/f", body: askTwo},
		{name: "RFC 4918 §9.1.4 propname", target: "/f", body: askNames},
		{name: "RFC 4918 §9.1.5 allprop", target: "/f", body: askAll},
		{name: "RFC 4918 §9.1 a file has no members", target: "/f", body: askAll, fields: []string{"Depth: 1"}},
		{name: "RFC 4918 §10.2 collection", target: "/c/", body: askAll, fields: []string{"Depth: 0"}},
		{name: "RFC 8144 §2.1 minimal", target: "/c/", body: askTwo, fields: []string{"Depth: 0", "Prefer: return=minimal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.sends(207, "PROPPATCH", "/f", setProp)
				s.h.Interim.Mode = interim.Never
				one := s.send("PROPFIND", c.target, c.body, c.fields...)
				operation := s.send("PROPFIND", c.target, c.body, slices.Concat(c.fields, []string{"Prefer: processing"})...)
				s.multistatus(one)
				one.header.Del("Date")
				operation.header.Del("Date")
				if one.body != operation.body || !maps.EqualFunc(one.header, operation.header, slices.Equal) {
					s.Errorf("%v\n%s\nand as an operation %v\n%s", one.header, one.body, operation.header, operation.body)
				}
			})
		})
	}
}
