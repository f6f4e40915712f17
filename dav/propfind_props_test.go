package dav_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/latency"
)

// countedProps counts the calls of a deadprops.Store.
type countedProps struct {
	deadprops.Store

	mu                sync.Mutex
	any, reads, names int
}

func (c *countedProps) Any(ctx context.Context, name string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.any++
	return c.Store.Any(ctx, name)
}

func (c *countedProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	c.names += len(query.Names)
	return c.Store.Read(ctx, query)
}

// TestPropfindAsksStore checks that a listing asks once whether any properties exist,
// then reads those of many members at a time, and does not ask at all for live
// properties.
func TestPropfindAsksStore(t *testing.T) {
	l := layout{}
	for i := range 1000 {
		l[fmt.Sprintf("/d/%04d", i)] = ""
	}
	props := &countedProps{Store: deadprops.NewMem()}
	s := serveLocal(t, &dav.Handler{State: stateOf(t, parts{properties: props})}, l)
	ask := func(body string) (asked, reads, names int) {
		props.any, props.reads, props.names = 0, 0, 0
		if m := s.multistatus(s.send("PROPFIND", "/d", body, "Depth: 1")); len(m.hrefs) != 1001 {
			t.Errorf("%d responses", len(m.hrefs))
		}
		return props.any, props.reads, props.names
	}
	if asked, reads, _ := ask(askAll); asked != 1 || reads != 0 {
		t.Errorf("with none stored: Any %d times, Read %d", asked, reads)
	}
	s.patched("/d/0500", set("<x:a>1</x:a>"), xProp("a"))
	if asked, reads, names := ask(askAll); asked != 1 || reads > 200 || names != 1001 {
		t.Errorf("with some stored: Any %d times, Read %d for %d names", asked, reads, names)
	}
	if asked, reads, _ := ask(askTwo); asked+reads != 0 {
		t.Errorf("only live ones: Any %d times, Read %d", asked, reads)
	}
	m := s.multistatus(s.send("PROPFIND", "/d", askAll, "Depth: 1"))
	for href, r := range m.responses {
		if _, has := r.props[xProp("a")]; has != (href == "/d/0500") {
			t.Errorf("%s has %v", href, r.props)
		}
	}
}

// TestPropfindOrder checks that the properties of a resource always have the same
// order.
func TestPropfindOrder(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		var props strings.Builder
		for i := range 50 {
			fmt.Fprintf(&props, `<p%d xmlns="urn:%d">%d</p%d>`, i*37%50, i*17%5, i, i*37%50)
		}
		if a := s.send("PROPPATCH", "/c/m", instructions(set(props.String()))); a.status != 207 {
			s.Fatal(a)
		}
		first := s.send("PROPFIND", "/c/m", askAll).body
		for range 5 {
			if again := s.send("PROPFIND", "/c/m", askAll).body; again != first {
				s.Errorf("%s\nand then\n%s", first, again)
			}
		}
	})
}

// TestPropfindManyDead is like litmus propmanyns, with names that differ only in their
// namespace.
func TestPropfindManyDead(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		var props, ask strings.Builder
		var want []xml.Name
		for i := range 100 {
			name := xml.Name{Space: fmt.Sprintf("http://example.com/%d", i), Local: "somename"}
			want = append(want, name)
			fmt.Fprintf(&props, "<somename xmlns=%q>%d</somename>", name.Space, i)
			fmt.Fprintf(&ask, "<somename xmlns=%q/>", name.Space)
		}
		s.patched("/f", set(props.String()), want...)
		got := s.multistatus(s.send("PROPFIND", "/f", `<D:propfind xmlns:D="DAV:"><D:prop>`+ask.String()+`</D:prop></D:propfind>`, "Depth: 0")).responses["/f"].props
		for i, name := range want {
			if got[name].status != 200 || got[name].text != strconv.Itoa(i) {
				s.Errorf("%v is %+v", name, got[name])
			}
		}
	})
}

// TestPropfindPreconditions checks that the header If and the If-Match family apply to
// a PROPFIND (RFC 4918 §10.4, RFC 9110 §13).
func TestPropfindPreconditions(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		token := s.lock("/f")
		tag := s.wants(200, "HEAD", "/f").header.Get("ETag")
		for field, status := range map[string]int{
			"If: (<" + token + ">)":                              207,
			"If: (<urn:uuid:none>)":                              412,
			"If: ([" + tag + "])":                                207,
			"If: (Not [" + tag + "])":                            412,
			"If: malformed":                                      400,
			"If-Match: " + tag:                                   207,
			`If-Match: "other"`:                                  412,
			`If-None-Match: ` + tag:                              412,
			"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT":   207, // for GET alone
			"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT": 412,
		} {
			if a := s.send("PROPFIND", "/f", askTwo, field); a.status != status {
				s.Errorf("%s is %d, want %d: %s", field, a.status, status, a.body)
			}
		}
	})
}

func TestPropfindMinimal(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	ask := `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><D:prop><D:getetag/><x:a/></D:prop></D:propfind>`
	askNone := `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><D:prop><x:a/></D:prop></D:propfind>`
	for _, c := range []struct{ field, vary, applied string }{
		{"Prefer: return=minimal", "Prefer", "return=minimal"},
		{"Prefer: wait=5, return = minimal; x=y", "Prefer", "return=minimal"},
		{"Brief: t", "Brief", ""},
		{"Brief: f", "", ""},
		{"Prefer: return=representation", "", ""},
		{`Prefer: x="return=minimal"`, "", ""},
	} {
		a := s.send("PROPFIND", "/f", ask, "Depth: 0", c.field)
		if a.header.Get("Vary") != c.vary || a.header.Get("Preference-Applied") != c.applied {
			t.Errorf("%s: %v", c.field, a.header)
		}
		if _, missing := s.multistatus(a).responses["/f"].props[xProp("a")]; missing == (c.vary != "") {
			t.Errorf("%s: %s", c.field, a.body)
		}
		// RFC 4918 §14.24: a response without a status has a propstat.
		if a := s.send("PROPFIND", "/f", askNone, "Depth: 0", c.field); !strings.Contains(a.body, "<D:propstat><D:prop>") {
			t.Errorf("%s: %s", c.field, a.body)
		}
	}
}

// TestPropfindLive tests live properties.
func TestPropfindLive(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	ask := `<propfind xmlns="DAV:"><prop><creationdate/><quota-available-bytes/><quota-used-bytes/><getetag/></prop></propfind>`
	info, err := s.fsys.Stat(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	born := storage.Born(info)
	if born.IsZero() {
		t.Log("this disk has no birth times")
	}
	m := s.multistatus(s.send("PROPFIND", "/", ask, "Depth: 1"))
	for href, r := range m.responses {
		created := r.dav("creationdate")
		if (created.status == 200) == born.IsZero() {
			t.Errorf("creationdate of %s is %+v", href, created)
		}
		if href == "/f" && !born.IsZero() && created.text != born.UTC().Format("2006-01-02T15:04:05Z") {
			t.Errorf("creationdate of %s is %q, want %v", href, created.text, born)
		}
		if r.dav("getetag").status != 200 {
			t.Errorf("getetag of %s is %+v", href, r.dav("getetag"))
		}
		for _, local := range []string{"quota-available-bytes", "quota-used-bytes"} {
			p := r.dav(local)
			if isCollection := strings.HasSuffix(href, "/"); isCollection != (p.status == 200) || isCollection != (p.text != "" && p.text != "0") {
				t.Errorf("%s of %s is %+v", local, href, p)
			}
		}
	}
	for _, body := range []string{askAll, askNames} {
		all := s.multistatus(s.send("PROPFIND", "/", body, "Depth: 0")).responses["/"].props
		if _, shown := all[davProp("quota-used-bytes")]; shown {
			t.Error("RFC 4331 §2: quota-used-bytes in allprop or propname")
		}
		if _, shown := all[davProp("creationdate")]; shown != (err == nil) {
			t.Error("RFC 4918 §9.1: creationdate is not in allprop or propname")
		}
	}
	include := s.multistatus(s.send("PROPFIND", "/", `<propfind xmlns="DAV:"><allprop/><include><quota-used-bytes/><getetag/></include></propfind>`, "Depth: 0")).responses["/"]
	if include.dav("quota-used-bytes").status != 200 || include.dav("getetag").status != 200 {
		t.Errorf("included: %+v", include)
	}
	// The storage has no creation time (§15.1).
	mem := serveMem(t, &dav.Handler{}, garden())
	for href, r := range mem.multistatus(mem.send("PROPFIND", "/", ask, "Depth: 1")).responses {
		for _, local := range []string{"creationdate", "quota-available-bytes", "quota-used-bytes"} {
			if r.dav(local).status != 404 {
				t.Errorf("%s of %s is %+v", local, href, r.dav(local))
			}
		}
	}
}

// TestPropfindLocks: lockdiscovery and supportedlock (RFC 4918 §15.8, §15.10).
func TestPropfindLocks(t *testing.T) {
	ask := `<propfind xmlns="DAV:"><prop><lockdiscovery/><supportedlock/></prop></propfind>`
	onBackends(t, garden(), func(s *share) {
		token := s.lock("/c/")
		for href, r := range s.multistatus(s.send("PROPFIND", "/", ask, "Depth: infinity")).responses {
			locked := strings.HasPrefix(href, "/c/")
			if discovery := r.dav("lockdiscovery"); strings.Contains(discovery.inner, token) != locked || discovery.status != 200 || !locked && discovery.inner != "" {
				s.Errorf("lockdiscovery of %s is %+v", href, discovery)
			}
			if supported := r.dav("supportedlock").inner; strings.Count(supported, "lockentry>") != 4 || !strings.Contains(supported, "shared") {
				s.Errorf("supportedlock of %s is %s", href, supported)
			}
		}
		// A member shows the lock from above even when it is asked for alone.
		if got := s.property("/c/s/d", davProp("lockdiscovery")); !strings.Contains(got.inner, token) || !strings.Contains(got.inner, "<D:lockroot><D:href>/c/</D:href></D:lockroot>") {
			s.Errorf("lockdiscovery is %+v", got)
		}
	})
	plain := serveMem(t, &dav.Handler{LockSystem: webdav.NewMemLS()}, garden())
	if got := plain.property("/f", davProp("supportedlock")).inner; strings.Contains(got, "shared") {
		t.Errorf("supportedlock with a plain LockSystem is %s", got)
	}
}

// TestPropfindSlow checks that on slow storage members are sent before a large batch is
// complete, and that several batches are read at the same time.
func TestPropfindSlow(t *testing.T) {
	const members, delay = 60, 60 * time.Millisecond
	l := layout{}
	for i := range members {
		l[fmt.Sprintf("/d/%d", i)] = "x"
	}
	props := &sizedProps{Store: deadprops.NewMem()}
	fsys, _ := openLocal(t)
	s := &share{TB: t, fsys: fsys}
	s.plantLayout(l)
	synctest.Test(t, func(t *testing.T) {
		client := serveBubble(t, &dav.Handler{FileSystem: latency.New(fsys, delay), State: stateOf(t, parts{properties: props})}).dial()
		client.send("PROPPATCH /d/0", instructions(set("<x:a>1</x:a>")))
		if _, a := client.final(); a.status != http.StatusMultiStatus {
			t.Errorf("PROPPATCH is %d", a.status)
		}
		props.sizes = nil
		start := time.Now()
		client.send("PROPFIND /d", askAll, "Depth: 1")
		_, a := client.final()
		if m := s.multistatus(a); len(m.hrefs) != members+1 {
			t.Errorf("%d hrefs", len(m.hrefs))
		}
		if took := time.Since(start); took > members*delay/2 {
			t.Errorf("it took %v, want half of the %v of one after the other at most", took, members*delay)
		}
		t.Logf("%v, and reads of %v", time.Since(start), props.sizes)
	})
	if largest := slices.Max(props.sizes); largest > 10 {
		t.Errorf("%d were read at a time, want 10 at most", props.sizes)
	}
}

// sizedProps records the number of names in each Read.
type sizedProps struct {
	deadprops.Store

	mu    sync.Mutex
	sizes []int
}

func (p *sizedProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	p.mu.Lock()
	p.sizes = append(p.sizes, len(query.Names))
	p.mu.Unlock()
	return p.Store.Read(ctx, query)
}

// TestPropfindLiveBeforeDead checks that a stored value with the name of a protected
// property is not shown.
func TestPropfindLiveBeforeDead(t *testing.T) {
	store := deadprops.NewMem()
	s := serveLocal(t, &dav.Handler{State: stateOf(t, parts{properties: store})}, garden())
	stale := webdav.Proppatch{Props: []webdav.Property{
		{XMLName: davProp("getetag"), InnerXML: []byte("stale")},
		{XMLName: davProp("quota-used-bytes"), InnerXML: []byte("stale")},
	}}
	if err := store.Patch(t.Context(), "/f", []webdav.Proppatch{stale}); err != nil {
		t.Fatal(err)
	}
	if got := s.property("/f", davProp("getetag")); got.status != 200 || got.text != s.wants(200, "HEAD", "/f").header.Get("ETag") {
		t.Errorf("getetag is %+v", got)
	}
	if got := s.property("/f", davProp("quota-used-bytes")); got.status != 404 {
		t.Errorf("quota-used-bytes is %+v", got)
	}
}
