package dav_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// instructions is a propertyupdate element, where D is DAV: and x is urn:x.
func instructions(content string) string {
	return `<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x">` + content + `</D:propertyupdate>`
}

func set(props string) string    { return "<D:set><D:prop>" + props + "</D:prop></D:set>" }
func remove(props string) string { return "<D:remove><D:prop>" + props + "</D:prop></D:remove>" }

func davProp(local string) xml.Name { return xml.Name{Space: "DAV:", Local: local} }
func xProp(local string) xml.Name   { return xml.Name{Space: "urn:x", Local: local} }

// patch sends a PROPPATCH and returns the properties of its answer.
func (s *share) patch(target, content string, fields ...string) map[xml.Name]msProp {
	s.Helper()
	m := s.multistatus(s.send("PROPPATCH", target, instructions(content), fields...))
	if len(m.hrefs) != 1 || m.hrefs[0] != target {
		s.Errorf("PROPPATCH of %s is about %q", target, m.hrefs)
	}
	for name, p := range m.responses[target].props {
		if p.inner != "" {
			s.Errorf("%v has the value %q in the answer", name, p.inner)
		}
	}
	return m.responses[target].props
}

// patched is patch that must succeed for exactly the properties in want.
func (s *share) patched(target, content string, want ...xml.Name) {
	s.Helper()
	got := s.patch(target, content)
	for _, name := range want {
		if got[name].status != 200 {
			s.Errorf("%v of %s is %d", name, target, got[name].status)
		}
	}
	if len(got) != len(want) {
		s.Errorf("the answer is %v, want 200 for %v", got, want)
	}
}

// property requests one property by name and checks that allprop and propname agree.
func (s *share) property(target string, name xml.Name) msProp {
	s.Helper()
	var space strings.Builder
	if err := xml.EscapeText(&space, []byte(name.Space)); err != nil {
		s.Fatal(err)
	}
	ask := `<D:propfind xmlns:D="DAV:"><D:prop><` + name.Local + ` xmlns="` + space.String() + `"/></D:prop></D:propfind>`
	named := s.multistatus(s.send("PROPFIND", target, ask, "Depth: 0")).responses[target].props[name]
	all := s.multistatus(s.send("PROPFIND", target, askAll, "Depth: 0")).responses[target].props
	names := s.multistatus(s.send("PROPFIND", target, askNames, "Depth: 0")).responses[target].props
	_, inNames := names[name]
	if inAll, found := all[name]; found != (named.status == 200) || inNames != found || found && inAll != named {
		s.Errorf("%v of %s: named %+v, allprop %+v, in propname %t", name, target, named, inAll, inNames)
	}
	return named
}

// has checks the value of a property of urn:x. "" without a status means that it is
// missing.
func (s *share) has(target, local, want string) {
	s.Helper()
	if got := s.property(target, xProp(local)); got.status != 200 || got.inner != want {
		s.Errorf("%s of %s is %d, %q, want %q", local, target, got.status, got.inner, want)
	}
}

func (s *share) hasNot(target, local string) {
	s.Helper()
	if got := s.property(target, xProp(local)); got.status != 404 {
		s.Errorf("%s of %s is %+v", local, target, got)
	}
}

// TestProppatchRoundTrip checks that a property of a file or collection comes back as
// it was written (RFC 4918 §4.3).
func TestProppatchRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name, props, inner, lang string
		property                 xml.Name
	}{
		{name: "text", props: `<x:p>text</x:p>`, inner: "text"},
		{name: "empty", props: `<x:p/>`},
		{name: "white space", props: "<x:p> \n\t </x:p>", inner: " \n\t "},
		{name: "entities and references", props: `<x:p>&lt;&amp;&#228;&#x1F600;&#10;</x:p>`, inner: `&lt;&amp;&#228;&#x1F600;&#10;`},
		{name: "CDATA", props: `<x:p><![CDATA[<&]]>x</x:p>`, inner: `<![CDATA[<&]]>x`},
		{name: "comment", props: `<x:p>a<!-- <b> -->c</x:p>`, inner: `a<!-- <b> -->c`},
		{name: "mixed content", props: `<x:p>a<b>c<d/>e</b>f</x:p>`, inner: `a<b>c<d/>e</b>f`},
		{name: "attributes and quotes", props: `<x:p><b z="1" a='"' m = "'"/></x:p>`, inner: `<b z="1" a='"' m = "'"/>`},
		{name: "attributes of its own but xml:lang are not kept", props: `<x:p a="b" xml:lang="de">c</x:p>`, inner: "c", lang: "de"},
		{name: "xml:lang in scope", props: `<x:p>text</x:p>`, inner: "text", lang: "fr-CA"},
		{name: "default namespace", props: `<p xmlns="urn:x"><b/></p>`, inner: `<b xmlns="urn:x"/>`},
		{name: "prefix used again", props: `<x:p><x:b xmlns:x="urn:y"/></x:p>`, inner: `<x:b xmlns:x="urn:y"/>`},
		{name: "prefix declared further out", props: `<x:p><x:b D:c=""/></x:p>`, inner: `<x:b xmlns:x="urn:x" xmlns:D="DAV:" D:c=""/>`},
		{name: "litmus propnullns", props: `<nonamespace xmlns="">randomvalue</nonamespace>`, inner: "randomvalue", property: xml.Name{Local: "nonamespace"}},
		{name: "litmus prophighunicode", props: `<x:high>&#65536;</x:high>`, inner: "&#65536;", property: xProp("high")},
		{name: "a name that is not ASCII", props: `<x:größe>1</x:größe>`, inner: "1", property: xProp("größe")},
		{name: "litmus propvalnspace", props: `<t:valnspace xmlns:t="urn:t"><foo xmlns="bar"/></t:valnspace>`, inner: `<foo xmlns="bar"/>`, property: xml.Name{Space: "urn:t", Local: "valnspace"}},
		{name: "in DAV: and not live", props: `<D:p>1</D:p>`, inner: "1", property: davProp("p")},
		{name: "RFC 4918 §15.2 displayname", props: `<D:displayname xml:lang="en">My file</D:displayname>`, inner: "My file", lang: "en", property: davProp("displayname")},
		{name: "a namespace to escape", props: `<p xmlns="a&quot;&lt;&amp;'b">1</p>`, inner: "1", property: xml.Name{Space: `a"<&'b`, Local: "p"}},
		{name: "64 KiB", props: `<x:p>` + strings.Repeat("<b/>", 16<<10) + `</x:p>`, inner: strings.Repeat("<b/>", 16<<10)},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				name := c.property
				if name.Local == "" {
					name = xProp("p")
				}
				for _, target := range []string{"/f", "/c/", "/c/s/d"} {
					content := set(c.props)
					if c.lang != "" && !strings.Contains(c.props, "xml:lang") {
						content = strings.Replace(content, "<D:set", fmt.Sprintf("<D:set xml:lang=%q", c.lang), 1)
					}
					s.patched(target, content, name)
					got := s.property(target, name)
					if got.status != 200 || got.inner != c.inner || got.lang != c.lang {
						s.Errorf("%s has %d, %.200q, lang %q, want %.200q, lang %q", target, got.status, got.inner, got.lang, c.inner, c.lang)
					}
				}
			})
		})
	}
}

// TestProppatchRoot checks that the root of a share can have properties.
func TestProppatchRoot(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Prefix: "/dav"}, garden())
	s.patched("/dav/", set("<x:a>1</x:a>"), xProp("a"))
	s.has("/dav/", "a", "1")
}

// TestProppatchOrder checks that instructions are carried out in document order (RFC
// 4918 §9.2).
func TestProppatchOrder(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		a, b := xProp("a"), xProp("b")
		s.patched("/f", set("<x:a>1</x:a><x:b>2</x:b>"), a, b)
		s.has("/f", "a", "1")
		s.patched("/f", set("<x:a>3</x:a>")+set("<x:a>4</x:a>"), a)
		s.has("/f", "a", "4")
		s.patched("/f", set("<x:a>5</x:a>")+remove("<x:a/>"), a)
		s.hasNot("/f", "a")
		s.patched("/f", remove("<x:a/>")+set("<x:a>6</x:a>"), a)
		s.has("/f", "a", "6")
		s.patched("/f", remove("<x:a>ignored<x:c/></x:a><x:never/>"), a, xProp("never"))
		s.hasNot("/f", "a")
		s.has("/f", "b", "2")
		s.patched("/f", set("<x:a>1</x:a><x:a>2</x:a>"), a)
		s.has("/f", "a", "2")
		// After a displayname is removed, the server's value is shown again (§15.2).
		s.patched("/f", set("<D:displayname>mine</D:displayname>"), davProp("displayname"))
		s.patched("/f", remove("<D:displayname/>"), davProp("displayname"))
		if got := s.property("/f", davProp("displayname")); got.text != "f" {
			s.Errorf("displayname is %+v", got)
		}
		// §17: unknown elements are ignored.
		s.patched("/f", `<x:new/>`+set("<x:a>7</x:a>")+`<D:set><x:other><x:b/></x:other><D:prop><x:c/></D:prop></D:set>`, a, xProp("c"))
		s.has("/f", "a", "7")
		s.has("/f", "b", "2")
	})
}

// TestProppatchProtected checks that a live property can't be set or removed, and that
// nothing changes then (RFC 4918 §9.2, §15).
func TestProppatchProtected(t *testing.T) {
	live := []string{
		"creationdate", "getcontentlength", "getcontenttype", "getetag", "lockdiscovery", "resourcetype", "supportedlock",
		"quota-available-bytes", "quota-used-bytes", "getcontentlanguage",
	}
	onBackends(t, garden(), func(s *share) {
		for _, target := range []string{"/f", "/c/"} {
			for _, local := range live {
				for _, instruction := range []string{set("<D:" + local + ">1</D:" + local + ">"), remove("<D:" + local + "/>")} {
					for _, content := range []string{
						set("<x:a>1</x:a>") + instruction + remove("<x:b/>"),
						instruction + set("<x:a>1</x:a><x:b/>"),
						set("<x:a>1</x:a><x:b/>") + instruction,
					} {
						a := s.send("PROPPATCH", target, instructions(content))
						got := s.multistatus(a).responses[target].props
						if len(got) != 3 || got[davProp(local)].status != 403 || got[xProp("a")].status != 424 || got[xProp("b")].status != 424 {
							s.Errorf("%s: %v", content, got)
						}
						if !strings.Contains(a.body, "403 Forbidden</D:status><D:error><D:cannot-modify-protected-property/></D:error></D:propstat>") {
							s.Errorf("no condition in %s", a.body)
						}
					}
				}
			}
			s.hasNot(target, "a")
		}
		// remove of what is set with it, too.
		got := s.patch("/f", remove("<D:getlastmodified/>")+set("<x:a>1</x:a>"))
		if got[davProp("getlastmodified")].status != 403 || got[xProp("a")].status != 424 {
			s.Errorf("%v", got)
		}
		s.hasNot("/f", "a")
	})
}

func TestProppatchRefused(t *testing.T) {
	good := instructions(set("<x:a>1</x:a>"))
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "<x:p%d/>", i)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, target, body string
		fields             []string
		status             int
	}{
		{"missing", "/missing", good, nil, 404},
		{"no body", "/f", "", nil, 400},
		{"no XML", "/f", "hello", nil, 400},
		{"§8.2 malformed", "/f", strings.TrimSuffix(good, ">"), nil, 400},
		{"another root", "/f", askAll, nil, 400},
		{"root of another namespace", "/f", `<propertyupdate xmlns="dav:"><set><prop><a/></prop></set></propertyupdate>`, nil, 400},
		{"§14.19 empty", "/f", instructions(""), nil, 400},
		{"§14.26 set without prop", "/f", instructions("<D:set/>"), nil, 400},
		{"§14.26 set with two", "/f", instructions("<D:set><D:prop><x:a/></D:prop><D:prop><x:b/></D:prop></D:set>"), nil, 400},
		{"no property", "/f", instructions(set("")), nil, 400},
		{"good, and then malformed", "/f", instructions(set("<x:a/>") + "<D:set>"), nil, 400},
		{"trailing element", "/f", good + "<a/>", nil, 400},
		{"§20.6 document type", "/f", "<!DOCTYPE a>" + good, nil, 400},
		{"prefix bound to nothing", "/f", instructions(set(`<y:a xmlns:y=""/>`)), nil, 400},
		{"prefix that is not bound in a value", "/f", instructions(set(`<x:a><y:b/></x:a>`)), nil, 400},
		{"too many", "/f", instructions(set(many(1000)) + set(many(25))), nil, 400},
		{"too large", "/f", instructions(set("<x:a>" + strings.Repeat(" ", 1<<20) + "</x:a>")), nil, 413},
		{"other encoding", "/f", `<?xml version="1.0" encoding="ISO-8859-1"?>` + good, nil, 415},
		{"compressed", "/f", good, []string{"Content-Encoding: gzip"}, 415},
		{"If-Match", "/f", good, []string{`If-Match: "other"`}, 412},
		{"If-None-Match", "/c/", good, []string{`If-None-Match: *`}, 412},
		{"If-Unmodified-Since", "/f", good, []string{"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"}, 412},
		{"§10.4 If", "/f", good, []string{"If: (<urn:uuid:none>)"}, 412},
		{"§10.4 If with an entity tag", "/f", good, []string{`If: (["other"])`}, 412},
		{"§10.4 malformed If", "/f", good, []string{"If: malformed"}, 400},
		{"reserved", "/.davd-x", good, nil, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				if a := s.send("PROPPATCH", c.target, c.body, c.fields...); a.status != c.status {
					s.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
				}
				s.hasNot("/f", "a")
			})
		})
	}
}

func TestProppatchLocked(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		token := s.lock("/c/")
		for _, target := range []string{"/c/", "/c/m", "/c/s/d"} {
			a := s.send("PROPPATCH", target, instructions(set("<x:a>1</x:a>")))
			if a.status != 423 || !strings.Contains(a.body, "lock-token-submitted") {
				s.Errorf("PROPPATCH of %s is %d: %s", target, a.status, a.body)
			}
			s.hasNot(target, "a")
			if a := s.send("PROPPATCH", target, instructions(set("<x:a>1</x:a>")), "If: <{server}/c/> (<"+token+">)"); a.status != 207 {
				s.Errorf("PROPPATCH of %s with the token is %d: %s", target, a.status, a.body)
			}
			s.has(target, "a", "1")
		}
	})
	s := serveMem(t, &dav.Handler{ReadOnly: true}, garden())
	if a := s.send("PROPPATCH", "/f", instructions(set("<x:a>1</x:a>"))); a.status != 403 {
		t.Errorf("PROPPATCH of a read-only share is %d", a.status)
	}
}

// modified returns the modification time, on which getlastmodified, HEAD and the
// storage must agree.
func (s *share) modified(target, name string) time.Time {
	s.Helper()
	info, err := s.fsys.Stat(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	want := info.ModTime().UTC().Format(http.TimeFormat)
	if got := s.property(target, davProp("getlastmodified")).text; got != want {
		s.Errorf("getlastmodified of %s is %q, want %q", target, got, want)
	}
	if got := s.wants(200, "HEAD", target).header.Get("Last-Modified"); got != want {
		s.Errorf("Last-Modified of %s is %q, want %q", target, got, want)
	}
	return info.ModTime()
}

const win32 = "urn:schemas-microsoft-com:"

func win32Prop(local, value string) string {
	return "<Z:" + local + ` xmlns:Z="` + win32 + `">` + value + "</Z:" + local + ">"
}

func TestProppatchTimes(t *testing.T) {
	want := time.Date(2001, time.February, 3, 4, 5, 6, 0, time.UTC)
	for _, c := range []struct {
		name, props string
		property    xml.Name
		kept        bool // as a dead property
	}{
		{"§15.7 HTTP date", "<D:getlastmodified>Sat, 03 Feb 2001 04:05:06 GMT</D:getlastmodified>", davProp("getlastmodified"), false},
		{"RFC 9110 §5.6.7 obsolete HTTP date", "<D:getlastmodified>Sat Feb  3 04:05:06 2001</D:getlastmodified>", davProp("getlastmodified"), false},
		{"RFC 3339", "<D:getlastmodified> 2001-02-03T05:05:06+01:00\n</D:getlastmodified>", davProp("getlastmodified"), false},
		{"with references", "<D:getlastmodified>2001-02-03T04:05:06&#90;</D:getlastmodified>", davProp("getlastmodified"), false},
		{"seconds, from rclone", "<lastmodified xmlns='DAV:'>" + strconv.FormatInt(want.Unix(), 10) + "</lastmodified>", davProp("lastmodified"), false},
		{"from Explorer", win32Prop("Win32LastModifiedTime", "Sat, 03 Feb 2001 04:05:06 GMT"), xml.Name{Space: win32, Local: "Win32LastModifiedTime"}, true},
		{"the last one", "<D:getlastmodified>1</D:getlastmodified><D:getlastmodified>Sat, 03 Feb 2001 04:05:06 GMT</D:getlastmodified>", davProp("getlastmodified"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			s.patched("/f", set(c.props), c.property)
			if got := s.modified("/f", "/f"); !got.Equal(want) {
				t.Errorf("it is %v, want %v", got, want)
			}
			if got := s.property("/f", c.property); (got.status == 200) != (c.kept || c.property == davProp("getlastmodified")) {
				t.Errorf("the property is %+v", got)
			}
			s.patched("/c/", set(c.props), c.property)
			if info, err := s.fsys.Stat(t.Context(), "/c"); err != nil || !info.ModTime().Equal(want) {
				t.Errorf("the collection's is %v, %v", info.ModTime(), err)
			}
			// A storage that can't set times: what is nothing else is protected.
			s = serveMem(t, &dav.Handler{}, garden())
			got := s.patch("/f", set(c.props+"<x:a>1</x:a>"))
			if c.kept {
				s.has("/f", "a", "1")
			} else {
				s.hasNot("/f", "a")
			}
			if (got[c.property].status == 200) != c.kept || got[c.property].status != 200 && got[xProp("a")].status != 424 {
				t.Errorf("%v", got)
			}
		})
	}
	for _, value := range []string{"", "yesterday", "2001-02-03", "99999999999999", "-99999999999999", "1.5", "<D:b/>", "0000-01-01T00:00:00Z"} {
		onBackends(t, garden(), func(s *share) {
			got := s.patch("/f", set("<x:a>1</x:a><D:getlastmodified>"+value+"</D:getlastmodified>"))
			if got[davProp("getlastmodified")].status != 409 || got[xProp("a")].status != 424 {
				s.Errorf("%q: %v", value, got)
			}
			s.hasNot("/f", "a")
		})
	}
}

// TestExplorer checks that the requests of Explorer's upload set the file's time and
// attributes.
func TestExplorer(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	if a := s.send("PUT", "/new.txt", ""); a.status != 201 {
		t.Fatal(a)
	}
	token := s.lock("/new.txt", "Timeout: Second-3600")
	if a := s.send("PUT", "/new.txt", "content", "If: (<"+token+">)"); a.status/100 != 2 {
		t.Fatal(a)
	}
	props := map[string]string{
		"Win32CreationTime":     "Fri, 02 Feb 2001 03:04:05 GMT",
		"Win32LastAccessTime":   "Sun, 04 Feb 2001 05:06:07 GMT",
		"Win32LastModifiedTime": "Sat, 03 Feb 2001 04:05:06 GMT",
		"Win32FileAttributes":   "00000020",
	}
	var content strings.Builder
	for local, value := range props {
		content.WriteString(win32Prop(local, value))
	}
	for _, r := range s.multistatus(s.send("PROPPATCH", "/new.txt", instructions(set(content.String())), "If: (<"+token+">)")).responses["/new.txt"].props {
		if r.status != 200 {
			t.Errorf("%+v", r)
		}
	}
	s.wants(204, "UNLOCK", "/new.txt", "Lock-Token: <"+token+">")
	if got := s.modified("/new.txt", "/new.txt").UTC().Format(http.TimeFormat); got != props["Win32LastModifiedTime"] {
		t.Errorf("modified %s", got)
	}
	for local, value := range props {
		if got := s.property("/new.txt", xml.Name{Space: win32, Local: local}); got.text != value {
			t.Errorf("%s is %+v, want %q", local, got, value)
		}
	}
}

// brokenProps fails to change properties.
type brokenProps struct {
	deadprops.Store
	err error
}

func (p brokenProps) Patch(context.Context, string, []webdav.Proppatch) error { return p.err }

// fixedTimes fails to set times.
type fixedTimes struct {
	storage.FS
	err error
}

func (f fixedTimes) SetTimes(context.Context, string, time.Time) error { return f.err }

// TestProppatchFails checks that a failure changes nothing (RFC 4918 §9.2).
func TestProppatchFails(t *testing.T) {
	both := set("<D:getlastmodified>2001-02-03T04:05:06Z</D:getlastmodified><x:a>1</x:a>")
	for err, status := range map[error]int{errors.New("broken at /secret/path"): 500, syscall.ENOSPC: 507, syscall.EACCES: 403} {
		s := serveLocal(t, &dav.Handler{State: stateOf(t, parts{properties: brokenProps{deadprops.NewMem(), err}})}, garden())
		before := s.modified("/f", "/f")
		if a := s.send("PROPPATCH", "/f", instructions(both)); a.status != status {
			t.Errorf("%v is %d: %s", err, a.status, a.body)
		}
		if after := s.modified("/f", "/f"); !after.Equal(before) {
			t.Errorf("the time was %v and is %v", before, after)
		}
		s = serveLocal(t, &dav.Handler{}, garden())
		s.h.FileSystem = fixedTimes{s.fsys, err}
		if a := s.send("PROPPATCH", "/f", instructions(both)); a.status != status {
			t.Errorf("%v is %d: %s", err, a.status, a.body)
		}
		s.hasNot("/f", "a")
	}
}

// TestPropertiesFollow checks that a MOVE moves dead properties, a COPY copies them and
// a DELETE removes them (RFC 4918 §9.6.1, §9.8.2, §9.9.1).
func TestPropertiesFollow(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		for _, target := range []string{"/c/", "/c/m", "/c/s/", "/c/s/d", "/f", "/old"} {
			s.patched(target, set("<x:a>of "+target+"</x:a>"), xProp("a"))
		}
		s.wants(201, "COPY", "/c/", "Destination: /copy/")
		s.has("/copy/", "a", "of /c/")
		s.has("/copy/s/d", "a", "of /c/s/d")
		s.has("/c/s/d", "a", "of /c/s/d")
		s.wants(201, "COPY", "/c/", "Destination: /shallow/", "Depth: 0")
		s.has("/shallow/", "a", "of /c/")
		s.wants(201, "MOVE", "/c/", "Destination: /moved/")
		s.has("/moved/", "a", "of /c/")
		s.has("/moved/s/", "a", "of /c/s/")
		s.has("/moved/m", "a", "of /c/m")
		s.wants(201, "MKCOL", "/c/")
		s.hasNot("/c/", "a")
		s.send("PUT", "/c/m", "new")
		s.hasNot("/c/m", "a")
		s.wants(204, "COPY", "/f", "Destination: /old")
		s.has("/old", "a", "of /f")
		s.wants(204, "MOVE", "/c/m", "Destination: /old")
		s.hasNot("/old", "a")
		s.wants(204, "DELETE", "/moved/")
		s.wants(201, "MOVE", "/c/", "Destination: /moved/")
		s.hasNot("/moved/", "a")
		s.wants(201, "COPY", "/old", "Destination: /moved/m")
		s.hasNot("/moved/m", "a")
		// A PUT keeps them.
		s.send("PUT", "/f", "new content")
		s.has("/f", "a", "of /f")
	})
}

// TestProppatchMinimal: RFC 8144 §2.2.
func TestProppatchMinimal(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	a := s.send("PROPPATCH", "/f", instructions(set("<x:a>1</x:a>")), "Prefer: return=minimal")
	if a.status != 204 || a.header.Get("Preference-Applied") != "return=minimal" || a.header.Get("Vary") != "Prefer" || a.body != "" {
		t.Errorf("%+v", a)
	}
	s.has("/f", "a", "1")
	a = s.send("PROPPATCH", "/f", instructions(set("<x:a>2</x:a>")), "Brief: t")
	if a.status != 200 || a.header.Get("Preference-Applied") != "" || a.header.Get("Vary") != "Brief" || a.body != "" {
		t.Errorf("%+v", a)
	}
	s.has("/f", "a", "2")
	for _, field := range []string{"Prefer: return=minimal", "Brief: t"} {
		got := s.patch("/f", set("<x:a>3</x:a><D:getetag/>"), field)
		if got[xProp("a")].status != 424 {
			t.Errorf("%s: %v", field, got)
		}
	}
	if got := s.patch("/f", set("<x:a>4</x:a>"), "Brief: f"); got[xProp("a")].status != 200 {
		t.Errorf("%v", got)
	}
}
