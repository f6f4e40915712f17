package dav_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/spf13/afero"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/deadprops"
)

func xValue(local string, n int) string {
	return "<x:" + local + ">" + strings.Repeat("v", n) + "</x:" + local + ">"
}

// TestPropertyLimits checks that a property beyond a limit gets 507 and a reason, that
// the others in the request get 424, and that nothing changes (RFC 4918 §9.2.1, §11.5).
func TestPropertyLimits(t *testing.T) {
	limits := deadprops.Limits{Property: 1000, Resource: 3000}
	for _, c := range []struct {
		name, before, content string
		status                map[string]int
		reason                string
	}{
		{"one is too large", "", set(xValue("a", 1000) + xValue("b", 1001)), map[string]int{"a": 424, "b": 507}, "a property may have at most 1000 bytes"},
		{"its name is", "", set("<x:" + strings.Repeat("n", 1000) + "/><x:a/>"), map[string]int{"a": 424}, "a property may have at most 1000 bytes"},
		{"too many for a resource", set(xValue("a", 900) + xValue("b", 900)), set(xValue("c", 1000)+xValue("d", 1)) + remove("<x:e/>"), map[string]int{"c": 507, "d": 507, "e": 424}, "the properties of one resource may have at most 3000 bytes"},
		{"removed and set", set(xValue("a", 900) + xValue("b", 900)), remove("<x:a/>") + set(xValue("c", 900)), map[string]int{"a": 200, "c": 200}, ""},
		{"replaced", set(xValue("a", 900) + xValue("b", 900)), set(xValue("a", 1000)), map[string]int{"a": 200}, ""},
		{"a time with it", "", set("<D:getlastmodified>2001-02-03T04:05:06Z</D:getlastmodified>" + xValue("a", 1001)), map[string]int{"a": 507}, "a property may have"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.h.PropertyLimits = limits
				if strings.Contains(c.content, "getlastmodified") && s.dir == "" {
					return // It can't set times, which comes first.
				}
				if c.before != "" {
					s.patch("/f", c.before)
				}
				all := withoutTag(s.send("PROPFIND", "/f", askAll, "Depth: 0").body)
				a := s.send("PROPPATCH", "/f", instructions(c.content))
				got := s.multistatus(a).responses["/f"].props
				refused := false
				for local, status := range c.status {
					if got[xProp(local)].status != status {
						s.Errorf("%s is %d, want %d: %s", local, got[xProp(local)].status, status, a.body)
					}
					refused = refused || status != 200
				}
				if !strings.Contains(a.body, c.reason) {
					s.Errorf("no %q in %s", c.reason, a.body)
				}
				if after := withoutTag(s.send("PROPFIND", "/f", askAll, "Depth: 0").body); refused != (after == all) {
					s.Errorf("refused is %t; it was %s, and is %s", refused, all, after)
				}
			})
		})
	}
}

// withoutTag returns a multi-status without the entity tag, which changes when a time
// is set and restored.
func withoutTag(body string) string {
	before, rest, _ := strings.Cut(body, "<D:getetag>")
	_, after, _ := strings.Cut(rest, "</D:getetag>")
	return before + after
}

// TestPropertiesPerPrincipal checks that each principal has its own limit for
// properties, copied ones included, with the condition of RFC 4331 §6, and that a
// refused COPY changes nothing.
func TestPropertiesPerPrincipal(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Principal: byUser, PropertyLimits: deadprops.Limits{Owner: 4000}}, garden())
	as := func(user string) string { return "X-User: " + user }
	sets := func(user, target string, status int) {
		t.Helper()
		a := s.send("PROPPATCH", target, instructions(set(xValue("a", 1000))), as(user))
		if got := s.multistatus(a).responses[target].props[xProp("a")].status; got != status {
			t.Errorf("%s of %s: %d, want %d: %s", target, user, got, status, a.body)
		}
		if status == 507 && !strings.Contains(a.body, "<D:quota-not-exceeded/>") {
			t.Errorf("no condition: %s", a.body)
		}
	}
	sets("ann", "/c/", 200)
	sets("ann", "/c/m", 200)
	sets("ann", "/f", 200)
	sets("ann", "/old", 507)
	sets("ben", "/old", 200)
	before := s.tree()
	for _, replaced := range []string{"/new/", "/o/"} {
		a := s.wants(507, "COPY", "/c/", "Destination: "+replaced, as("ann"))
		if !strings.Contains(a.body, "quota-not-exceeded") || !strings.Contains(a.body, "4000 bytes") {
			t.Errorf("COPY: %s", a.body)
		}
	}
	s.holds(before)
	s.wants(201, "COPY", "/c/", "Destination: /new/", "Depth: 0", as("cat"))
	s.wants(201, "COPY", "/c/", "Destination: /copy/", as("cat"))
	s.wants(507, "COPY", "/c/", "Destination: /more/", as("cat"))
	s.wants(201, "MOVE", "/c/", "Destination: /moved/", as("ann"))
	sets("ann", "/old", 507)
	s.wants(204, "DELETE", "/moved/", as("ben"))
	sets("ann", "/old", 200)
}

// TestLargeProperties checks that a store with more properties than the limits allow is
// listed completely, in parts that are not large.
func TestLargeProperties(t *testing.T) {
	store := &pagedProps{Store: deadprops.NewMem()}
	s := serve(t, aferofs.New(afero.NewMemMapFs()), &dav.Handler{State: stateOf(t, parts{properties: store})}, garden())
	want := map[string]map[xml.Name]string{}
	for i, target := range []string{"/c/", "/c/m", "/f", "/old"} {
		var patch webdav.Proppatch
		want[target] = map[xml.Name]string{}
		for j := range 40 {
			size := []int{10, 3000, 20_000, 100_000, 300_000}[(i+j)%5]
			if target == "/old" {
				size = 10
			}
			value := fmt.Sprint(i, j) + strings.Repeat("v", size)
			name := xml.Name{Space: "urn:x", Local: fmt.Sprintf("p%02d", j)}
			patch.Props = append(patch.Props, webdav.Property{XMLName: name, InnerXML: []byte(value)})
			want[target][name] = value
		}
		patch.Props = append(patch.Props, webdav.Property{XMLName: davProp("displayname"), InnerXML: []byte("mine")})
		want[target][davProp("displayname")] = "mine"
		name := strings.TrimSuffix(target, "/")
		if err := store.Patch(t.Context(), name, []webdav.Proppatch{patch}); err != nil {
			t.Fatal(err)
		}
	}
	named := `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><D:prop><x:none/><x:p03/><D:getetag/><x:p39/><D:displayname/><x:p02/></D:prop></D:propfind>`
	include := `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><D:allprop/><D:include><x:none/><x:p03/></D:include></D:propfind>`
	for _, depth := range []string{"0", "infinity"} {
		for target := range want {
			for label, body := range map[string]string{"allprop": askAll, "propname": askNames, "named": named, "include": include} {
				m := s.multistatus(s.send("PROPFIND", target, body, "Depth: "+depth))
				for href, r := range m.responses {
					checkLarge(t, label+" of "+href, r.props, want[href])
				}
				if _, there := m.responses[target]; !there {
					t.Errorf("%s of %s with Depth %s: not there", label, target, depth)
				}
			}
		}
	}
	m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity"))
	for target := range want {
		checkLarge(t, "allprop below / of "+target, m.responses[target].props, want[target])
	}
	if store.largest > 512<<10 {
		t.Errorf("%d bytes were read at a time", store.largest)
	}
}

// checkLarge compares the properties in a response with those that were set.
func checkLarge(t *testing.T, label string, got map[xml.Name]msProp, want map[xml.Name]string) {
	t.Helper()
	kind, _, _ := strings.Cut(label, " ")
	for name, value := range want {
		asked := kind != "named" || slices.Contains([]string{"p03", "p39", "displayname", "p02"}, name.Local)
		if kind == "propname" {
			value = ""
		}
		p, there := got[name]
		if there != asked || there && (p.status != 200 || p.inner != value) {
			t.Errorf("%s: %v is there: %t, %d with %d bytes, want %d", label, name, there, p.status, len(p.inner), len(value))
		}
	}
	none, there := got[xProp("none")]
	if asked := kind == "named" || kind == "include"; there != asked || there && none.status != 404 {
		t.Errorf("%s: none is %+v", label, none)
	}
	if kind == "named" && got[davProp("getetag")].status != 200 {
		t.Errorf("%s: getetag is %+v", label, got[davProp("getetag")])
	}
}

// pagedProps records the largest number of bytes that a Read returned.
type pagedProps struct {
	deadprops.Store

	mu      sync.Mutex
	largest int
}

func (p *pagedProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	found, next, err := p.Store.Read(ctx, query)
	bytes := 0
	for _, props := range found {
		for _, property := range props {
			bytes += deadprops.Size(property)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.largest = max(p.largest, bytes)
	return found, next, err
}
