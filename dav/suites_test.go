package dav_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// The rules that public conformance suites hold a server to (litmus up to its
// head, OmniGroup's ODAVConformanceTest, x/net/webdav's own tests), each by the
// section it stands on. Sections without a name are RFC 4918's.

// suiteStep is one request and what its answer must be. In its target and fields
// {name} stands for what an earlier step has kept.
type suiteStep struct {
	do    string // method and target
	with  string // header fields, separated by |
	body  string
	want  []int             // the statuses that will do
	has   []string          // each must be in the body
	lacks []string          // none may be in the body
	props map[string]string // "namespace name" → "status text", of the only response element
	keep  string            // keeps the lock token or, without one, the entity tag
}

// suiteScript is a sequence of steps, on garden.
type suiteScript struct {
	name  string
	steps []suiteStep
}

func oneOf(codes ...int) []int { return codes }

var (
	is2xx = oneOf(200, 201, 204)
	is201 = oneOf(201)
	is204 = oneOf(204)
	is400 = oneOf(400)
	is404 = oneOf(404)
	is409 = oneOf(409)
	is412 = oneOf(412)
	is423 = oneOf(423)
	is207 = oneOf(207)
)

// playAll runs each script on each backend, and on objects with the names in SQLite. Some run on
// names in PostgreSQL too.
func playAll(t *testing.T, scripts []suiteScript) {
	t.Helper()
	for _, c := range scripts {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) { s.play(c.steps...) })
			t.Run("objects", func(t *testing.T) { serveObjects(t, garden()).play(c.steps...) })
		})
	}
	if len(scripts) == 1 && !sweep.All() {
		return
	}
	for _, c := range sweep.Sample(t, scripts, 2) {
		t.Run(c.name+" in PostgreSQL", func(t *testing.T) { startNames(t, garden(), "a")[0].play(c.steps...) })
	}
}

func (s *share) play(steps ...suiteStep) {
	s.Helper()
	kept := make(map[string]string)
	fill := func(text string) string {
		for name, value := range kept {
			text = strings.ReplaceAll(text, "{"+name+"}", value)
		}
		return text
	}
	for i, st := range steps {
		method, target, _ := strings.Cut(fill(st.do), " ")
		var fields []string
		if st.with != "" {
			fields = strings.Split(fill(st.with), " | ")
		}
		a := s.send(method, target, st.body, fields...)
		at := fmt.Sprintf("step %d, %s %s %q", i, method, target, fields)
		if !slices.Contains(st.want, a.status) {
			s.Errorf("%s is %d, want one of %d: %s", at, a.status, st.want, a.body)
			continue
		}
		for _, part := range st.has {
			if !strings.Contains(a.body, fill(part)) {
				s.Errorf("%s: no %s in %s", at, fill(part), a.body)
			}
		}
		for _, part := range st.lacks {
			if strings.Contains(a.body, fill(part)) {
				s.Errorf("%s: %s in %s", at, fill(part), a.body)
			}
		}
		if st.props != nil {
			s.hasProps(at, a, st.props)
		}
		if st.keep != "" {
			kept[st.keep] = s.keepable(at, a)
		}
	}
}

// keepable returns the lock token that a brings, or the entity tag.
func (s *share) keepable(at string, a answer) string {
	s.Helper()
	value := strings.Trim(a.header.Get("Lock-Token"), "<>")
	if value == "" {
		value = a.header.Get("ETag")
	}
	if value == "" && a.status == http.StatusMultiStatus {
		for _, r := range s.multistatus(a).responses {
			value = r.dav("getetag").text
		}
	}
	if value == "" {
		s.Errorf("%s brings neither a lock token nor an entity tag: %v %s", at, a.header, a.body)
	}
	return value
}

// hasProps checks properties of the only response element in a.
func (s *share) hasProps(at string, a answer, want map[string]string) {
	s.Helper()
	m := s.multistatus(a)
	if len(m.hrefs) != 1 {
		s.Errorf("%s is about %q", at, m.hrefs)
		return
	}
	got := make(map[string]string)
	for name, p := range m.responses[m.hrefs[0]].props {
		got[strings.TrimSpace(name.Space+" "+name.Local)] = strings.TrimSpace(fmt.Sprint(p.status, " ", p.text))
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			s.Errorf("%s: %s is %q, want %q: %s", at, name, got[name], want[name], a.body)
		}
	}
}

// raw sends head, a request's header section with LF for CRLF, and returns the
// status of the first response, interim or not.
func (s *share) raw(head string) int {
	s.Helper()
	address := s.server.Listener.Addr().String()
	conn, err := (&net.Dialer{}).DialContext(s.Context(), "tcp", address)
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	head = strings.Replace(head, "\n", "\nHost: "+address+"\n", 1)
	if _, err := conn.Write([]byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n")); err != nil {
		s.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		s.Fatal(err)
	}
	return s.statusLine(strings.Replace(line, "\r\n", " ", 1))
}

func askProps(names string) string {
	return `<?xml version="1.0"?><propfind xmlns="DAV:"><prop>` + names + `</prop></propfind>`
}

func setProps(props string) string { return propertyUpdate("<set><prop>" + props + "</prop></set>") }

func removeProps(props string) string {
	return propertyUpdate("<remove><prop>" + props + "</prop></remove>")
}

func propertyUpdate(instructions string) string {
	return `<?xml version="1.0" encoding="utf-8" ?><propertyupdate xmlns="DAV:">` + instructions + `</propertyupdate>`
}

var (
	depth0     = []string{"Depth: 0"}
	lockShared = strings.Replace(lockBody, "exclusive", "shared", 1)
	askLocks   = askProps("<lockdiscovery/><supportedlock/>")
)

func TestSuiteBasic(t *testing.T) {
	playAll(t, []suiteScript{
		{name: "§9.7.1 PUT without a parent makes none", steps: []suiteStep{
			{do: "PUT /409me/noparent.txt", body: "x", want: is409},
			{do: "PROPFIND /409me", want: is404},
			{do: "PUT /f/below", body: "x", want: is409},
		}},
		{name: "§9.7.2 PUT onto a collection", steps: []suiteStep{
			{do: "PUT /c", body: "x", want: oneOf(405)},
			{do: "PUT /c/", body: "x", want: oneOf(405)},
		}},
		{name: "RFC 9110 §9.3.4 PUT again", steps: []suiteStep{{do: "PUT /new", body: "x", want: is201}, {do: "PUT /new", body: "y", want: is204}}},
		{name: "§9.3 MKCOL without a parent makes none", steps: []suiteStep{
			{do: "MKCOL /409me/noparent/", want: is409}, {do: "PROPFIND /409me", want: is404}, {do: "MKCOL /f/below", want: is409},
		}},
		{name: "§9.3 MKCOL with a body", steps: []suiteStep{
			{do: "MKCOL /new", with: "Content-Type: xzy-foo/bar-512", body: "afafafaf", want: oneOf(415)},
			{do: "MKCOL /new", with: "Content-Type: application/xml", body: "<x/>", want: oneOf(415)},
			{do: "PROPFIND /new", want: is404},
			{do: "MKCOL /new", want: is201},
			{do: "PROPFIND /new/", with: "Depth: infinity", want: is207, has: []string{">/new/<"}, lacks: []string{">/new/a"}},
		}},
		{name: "§9.3.1 MKCOL on what is there", steps: []suiteStep{
			{do: "MKCOL /c/", want: oneOf(405)},
			{do: "MKCOL /c", want: oneOf(405)},
			{do: "MKCOL /f", want: oneOf(405)},
		}},
		{name: "§9.6 nothing is there after DELETE", steps: []suiteStep{
			{do: "DELETE /c/", want: is204},
			{do: "GET /c/m", want: is404},
			{do: "HEAD /c/", want: is404},
			{do: "PROPFIND /c/", want: is404},
			{do: "DELETE /c/", want: is404},
		}},
		{name: "§9.6.1 DELETE of a collection refuses a Depth but infinity", steps: []suiteStep{
			{do: "DELETE /c/", with: "Depth: 0", want: is400}, {do: "DELETE /c/", with: "Depth: infinity", want: is204},
		}},
		{name: "§8.4 a body where none belongs", steps: []suiteStep{
			{do: "DELETE /f", body: "x", want: oneOf(204, 415)},
			{do: "COPY /o", body: "<x/>", with: "Destination: /o2", want: oneOf(201, 415)},
		}},
		{name: "§9.8.5 the parent of the destination is not made", steps: []suiteStep{
			{do: "COPY /f", with: "Destination: {server}/none/f", want: is409},
			{do: "MOVE /f", with: "Destination: {server}/none/f", want: is409},
			{do: "MOVE /c/", with: "Destination: {server}/none/deep/c/", want: is409},
			{do: "PROPFIND /none", want: is404},
			{do: "GET /f", want: is2xx},
		}},
		{name: "§10.3 Destination as a path", steps: []suiteStep{
			{do: "COPY /f", with: "Destination: /g | Overwrite: F", want: is201},
			{do: "GET /g", want: is2xx, has: []string{"file"}},
		}},
		{name: "§10.3 Destination is missing", steps: []suiteStep{{do: "COPY /f", want: is400}, {do: "MOVE /f", want: is400}}},
		{name: "§10.6 Overwrite", steps: []suiteStep{
			{do: "COPY /f", with: "Destination: /old | Overwrite: F", want: is412},
			{do: "MOVE /f", with: "Destination: /old | Overwrite: F", want: is412},
			{do: "MOVE /c/", with: "Destination: /o/ | Overwrite: F", want: is412},
			{do: "GET /old", want: is2xx, has: []string{"old content"}},
			{do: "MOVE /f", with: "Destination: /old", want: is204},
			{do: "GET /f", want: is404},
			{do: "GET /old", want: is2xx, has: []string{"file"}},
			{do: "COPY /old", with: "Destination: /o/ | Overwrite: T", want: is204},
			{do: "GET /o", want: is2xx, has: []string{"file"}},
		}},
		{name: "§9.8.4 COPY does not merge", steps: []suiteStep{
			{do: "COPY /c/", with: "Destination: /o/ | Overwrite: T", want: is204},
			{do: "GET /o/only", want: is404},
			{do: "GET /o/m", want: is2xx, has: []string{"member"}},
		}},
		{name: "§9.9.3 MOVE does not merge", steps: []suiteStep{
			{do: "MOVE /c/", with: "Destination: /o/ | Overwrite: T", want: is204},
			{do: "GET /o/only", want: is404},
			{do: "GET /o/s/d", want: is2xx},
			{do: "PROPFIND /c", want: is404},
		}},
		{name: "§9.8.3 COPY with Depth 0", steps: []suiteStep{
			{do: "COPY /c/", with: "Destination: /new/ | Depth: 0 | Overwrite: F", want: is201},
			{do: "DELETE /new/m", want: is404},
			{do: "COPY /c/", with: "Destination: /o/ | Depth: 0", want: is204},
			{do: "GET /o/only", want: is404},
			{do: "DELETE /o/", want: is204},
		}},
	})
}

// TestSuiteRaw sends requests that no http.Client can send.
func TestSuiteRaw(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for _, c := range []struct {
		name, head string
		want       int
	}{
		{"RFC 9112 §3.2 a fragment in the request target deletes nothing", "DELETE /c/#ment HTTP/1.1\n", 404},
		{"RFC 9112 §3 a space in the request target", "MKCOL /coll A/ HTTP/1.1\n", 400},
		{"RFC 9110 §10.1.1 100 before the body", "PUT /new HTTP/1.1\nContent-Length: 100\nExpect: 100-continue\n", 100},
		{"RFC 9110 §10.1.1 no 100 when a precondition fails", "PUT /f HTTP/1.1\nContent-Length: 100\nExpect: 100-continue\nIf-Match: \"other\"\n", 412},
		{"RFC 9110 §10.1.1 no 100 without a parent", "PUT /none/f HTTP/1.1\nContent-Length: 100\nExpect: 100-continue\n", 409},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (&share{TB: t, server: s.server}).raw(c.head); got != c.want {
				t.Errorf("%q is %d, want %d", c.head, got, c.want)
			}
		})
	}
	s.server.Close() // It waits for what is under way.
	s.holds(garden())
}

// TestSuiteLocation: a Location names the resource by its escaped path
// (RFC 9110 §15.3.2; OmniDAV follows the one of a COPY or MOVE).
func TestSuiteLocation(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for _, c := range []struct{ do, path string }{
		{"PUT /put%23test", "/put%23test"}, {"COPY /f", "/g%20h"}, {"MOVE /c/", "/d%25/"},
	} {
		method, target, _ := strings.Cut(c.do, " ")
		a := s.wants(201, method, target, "Destination: {server}"+c.path)
		if location := a.header.Get("Location"); location != "" {
			if u, err := url.Parse(location); err != nil || u.EscapedPath() != c.path {
				t.Errorf("%s: Location %q, want the path %s", c.do, location, c.path)
			}
		}
		s.wants(207, "PROPFIND", c.path, depth0...)
	}
}

func TestSuiteLocks(t *testing.T) {
	playAll(t, slices.Concat(lockScripts(), lockTransferScripts(), unlockScripts()))
}

func lockScripts() []suiteScript {
	return []suiteScript{
		{name: "§7.3 an unmapped URL", steps: []suiteStep{
			{do: "LOCK /new", with: "Depth: 0", body: lockBody, want: is201, has: []string{"lockdiscovery"}, keep: "t"},
			{do: "GET /new", want: oneOf(200, 204)},
			{do: "PROPFIND /new", with: "Depth: 0", body: askProps("<getcontentlength/>"), want: is207, props: map[string]string{"DAV: getcontentlength": "200 0"}},
			{do: "PROPFIND /new", with: "Depth: 0", body: askLocks, want: is207, has: []string{"{t}", "lockentry"}},
			{do: "MKCOL /new", with: "If: (<{t}>)", want: oneOf(405)},
			{do: "PUT /new", body: "x", want: is423},
			{do: "UNLOCK /new", with: "Lock-Token: <{t}>", want: is204},
			{do: "HEAD /new", want: is2xx},
			{do: "PUT /new", body: "x", want: is2xx},
		}},
		{name: "§9.10.6 without a parent", steps: []suiteStep{
			{do: "LOCK /none/new", with: "Depth: 0", body: lockBody, want: is409},
			{do: "PROPFIND /none", want: is404},
		}},
		{name: "§7.7 without a body and without a lock", steps: []suiteStep{
			{do: "LOCK /f", want: is400}, {do: "PUT /f", body: "x", want: is204}, {do: "LOCK /new", want: is400}, {do: "HEAD /new", want: is404},
		}},
		{name: "§9.10.3 Depth", steps: []suiteStep{
			{do: "LOCK /c/", with: "Depth: 1", body: lockBody, want: is400},
			{do: "PUT /c/m", body: "x", want: is204},
			{do: "LOCK /c/", body: lockBody, want: is2xx, has: []string{">infinity<", ">/c/<"}},
			{do: "PUT /c/s/d", body: "x", want: is423},
			{do: "LOCK /f", with: "Depth: infinity", body: lockShared, want: is2xx, has: []string{"shared"}, lacks: []string{"exclusive"}},
		}},
		{name: "§7.4 a lock of a collection itself", steps: []suiteStep{
			{do: "LOCK /c/", with: "Depth: 0", body: lockBody, want: is2xx, has: []string{">0<"}, keep: "t"},
			{do: "PUT /c/m", body: "x", want: is204},
			{do: "PUT /c/s/new", body: "x", want: is201},
			{do: "PUT /c/new", body: "x", want: is423},
			{do: "DELETE /c/m", want: is423},
			{do: "MKCOL /c/new", want: is423},
			{do: "MOVE /c/m", with: "Destination: /g", want: is423},
			{do: "MOVE /f", with: "Destination: /c/new", want: is423},
			{do: "COPY /f", with: "Destination: /c/new", want: is423},
			{do: "LOCK /c/new", body: lockBody, want: is423},
			{do: "COPY /f", with: "Destination: /c/m", want: is204},
			{do: "PUT /c/new", with: "If: <{server}/c/> (<{t}>)", body: "x", want: is201},
		}},
		{name: "§9.10.2 refresh, of a member too", steps: []suiteStep{
			{do: "LOCK /c/", body: lockBody, with: "Timeout: Second-3600", want: is2xx, keep: "t"},
			{do: "LOCK /c/", with: "If: (<{t}>) | Timeout: Second-1800 | Depth: 0", want: is2xx, has: []string{"{t}", ">infinity<", "lockdiscovery"}},
			{do: "LOCK /c/m", with: "If: (<{t}>)", want: is2xx, has: []string{"{t}", ">/c/<"}},
			{do: "LOCK /c/", with: "If: (<{t}x>)", want: is412},
			{do: "LOCK /f", with: "If: (<{t}>)", want: is412},
			{do: "LOCK /f", with: "If: (Not <DAV:no-lock>)", want: oneOf(400, 412)},
		}},
		{name: "§9.10.5 an exclusive lock conflicts", steps: []suiteStep{
			{do: "LOCK /f", body: lockBody, want: is2xx, has: []string{">me<"}},
			{do: "LOCK /f", body: lockBody, want: is423, has: []string{"no-conflicting-lock", ">/f<"}},
			{do: "LOCK /f", body: lockShared, want: is423},
		}},
		{name: "§6.2 shared locks", steps: []suiteStep{
			{do: "LOCK /f", body: lockShared, want: is2xx, keep: "a"},
			{do: "LOCK /f", body: lockShared, want: is2xx, keep: "b"},
			{do: "LOCK /f", body: lockBody, want: is423},
			{do: "PUT /f", body: "x", want: is423},
			{do: "PUT /f", with: "If: (<{a}>)", body: "x", want: is204},
			{do: "PUT /f", with: "If: (<{b}>)", body: "x", want: is204},
			{do: "UNLOCK /f", with: "Lock-Token: <{b}>", want: is204},
			{do: "PUT /f", body: "x", want: is423},
			{do: "LOCK /f", with: "If: (<{a}>)", want: is2xx, has: []string{"{a}", "shared"}},
			{do: "UNLOCK /f", with: "Lock-Token: <{a}>", want: is204},
			{do: "PUT /f", body: "x", want: is204},
		}},
		// §7.4 has 423, §9.10.3 a multi-status; both name what is in the way.
		{name: "§7.4 a member is locked", steps: []suiteStep{
			{do: "LOCK /c/m", body: lockShared, want: is2xx, keep: "t"},
			{do: "LOCK /c/", body: lockBody, want: oneOf(423, 207), has: []string{">/c/m<"}},
			{do: "LOCK /c/", body: lockBody, with: "Depth: 0", want: is2xx, keep: "c"},
			{do: "UNLOCK /c/", with: "Lock-Token: <{c}>", want: is204},
			{do: "LOCK /c/", body: lockShared, want: is2xx},
			{do: "UNLOCK /c/m", with: "Lock-Token: <{t}>", want: is204},
		}},
		{name: "§7.5 all that changes a locked resource", steps: []suiteStep{
			{do: "LOCK /f", with: "Depth: 0", body: lockBody, want: is2xx, keep: "t"},
			{do: "PUT /f", body: "x", want: is423, has: []string{"lock-token-submitted", ">/f<"}},
			{do: "DELETE /f", want: is423, has: []string{"lock-token-submitted"}},
			{do: "MOVE /f", with: "Destination: /g | Overwrite: F", want: is423},
			{do: "COPY /old", with: "Destination: /f | Overwrite: T | Depth: 0", want: is423},
			{do: "PROPPATCH /f", body: setProps(`<p xmlns="urn:x">v</p>`), want: is423},
			{do: "PUT /f", with: "If: <{server}/f> (<{t}>)", body: "x", want: is204},
			{do: "PROPPATCH /f", with: "If: <{server}/f> (<{t}>)", body: setProps(`<p xmlns="urn:x">v</p>`), want: is207},
			{do: "GET /f", want: is2xx},
			{do: "PROPFIND /f", with: "Depth: 0", body: askLocks, want: is207, has: []string{"{t}"}},
		}},
		{name: "§7.4 all that changes a member", steps: []suiteStep{
			{do: "LOCK /c/", body: lockBody, want: is2xx, keep: "t"},
			{do: "PUT /c/m", body: "x", want: is423},
			{do: "DELETE /c/m", want: is423},
			{do: "MOVE /c/m", with: "Destination: /g", want: is423},
			{do: "COPY /f", with: "Destination: /c/m", want: is423},
			{do: "PROPPATCH /c/m", body: setProp, want: is423},
			{do: "PUT /c/new", with: "If: <{server}/c/> (<{t}>)", body: "x", want: is201},
			{do: "PUT /c/new", body: "y", want: is423},
			{do: "PROPFIND /c/new", with: "Depth: 0", body: askLocks, want: is207, has: []string{"{t}", ">/c/<"}},
		}},
	}
}

func lockTransferScripts() []suiteScript {
	return []suiteScript{
		{name: "§7.6 COPY leaves the lock", steps: []suiteStep{
			{do: "LOCK /f", body: lockBody, want: is2xx, keep: "t"},
			{do: "COPY /f", with: "Destination: /g | Overwrite: T", want: is201},
			{do: "PROPFIND /g", with: "Depth: 0", body: askLocks, want: is207, lacks: []string{"activelock"}},
			{do: "DELETE /g", want: is204},
		}},
		{name: "§7.6 MOVE leaves the lock, §6.1 which ends", steps: []suiteStep{
			{do: "LOCK /f", body: lockBody, want: is2xx, keep: "t"},
			{do: "MOVE /f", with: "Destination: {server}/g | If: <{server}/f> (<{t}>)", want: is201},
			{do: "PROPFIND /g", with: "Depth: 0", body: askLocks, want: is207, lacks: []string{"activelock"}},
			{do: "PUT /g", body: "x", want: is204},
			{do: "PUT /f", body: "x", want: is201},
		}},
		{name: "§7.6 MOVE into a locked collection", steps: []suiteStep{
			{do: "LOCK /c/", body: lockBody, want: is2xx, keep: "t"},
			{do: "MOVE /f", with: "Destination: {server}/c/f", want: is423},
			{do: "MOVE /f", with: "Destination: {server}/c/f | If: <{server}/c/> (<{t}>)", want: is201},
			{do: "PUT /c/f", body: "x", want: is423},
		}},
		{name: "§6.1 MOVE out of a locked collection", steps: []suiteStep{
			{do: "LOCK /c/", body: lockBody, want: is2xx, keep: "t"},
			{do: "MOVE /c/m", with: "Destination: {server}/g | If: <{server}/c/> (<{t}>)", want: is201},
			{do: "PUT /g", body: "x", want: is204},
		}},
		{name: "§6.1 MOVE onto a locked collection keeps its lock", steps: []suiteStep{
			{do: "LOCK /o/", body: lockBody, want: is2xx, keep: "t"},
			{do: "MOVE /c/", with: "Destination: {server}/o/ | Overwrite: T", want: is423},
			{do: "MOVE /c/", with: "Destination: {server}/o/ | Overwrite: T | If: <{server}/o/> (<{t}>)", want: is204},
			{do: "PUT /o/m", body: "x", want: is423},
			{do: "UNLOCK /o/", with: "Lock-Token: <{t}>", want: is204},
			{do: "PUT /o/m", body: "x", want: is204},
		}},
		{name: "§7.5 MOVE onto a collection with a locked member", steps: []suiteStep{
			{do: "LOCK /o/only", body: lockBody, want: is2xx, keep: "t"},
			{do: "MOVE /c/", with: "Destination: {server}/o/ | Overwrite: T", want: oneOf(423, 207, 424), has: []string{">/o/only<"}},
			{do: "MOVE /c/", with: "Destination: {server}/o/ | Overwrite: T | If: <{server}/o/only> (<{t}>)", want: is204},
			{do: "PUT /o/only", body: "x", want: is201},
		}},
		{name: "§7.5 MOVE of a locked collection", steps: []suiteStep{
			{do: "LOCK /c/", body: lockBody, want: is2xx, keep: "t"},
			{do: "MOVE /c/", with: "Destination: {server}/d/ | Overwrite: F", want: is423},
			{do: "MOVE /c/", with: "Destination: {server}/d/ | Overwrite: F | If: <{server}/c/> (<{t}>)", want: is201},
			{do: "PUT /d/m", body: "x", want: is204},
		}},
		{name: "§9.6 DELETE ends the lock", steps: []suiteStep{
			{do: "LOCK /f", body: lockBody, want: is2xx, keep: "t"},
			{do: "DELETE /f", with: "If: (<{t}>)", want: is204},
			{do: "PUT /f", body: "x", want: is201},
			{do: "LOCK /c/m", body: lockBody, want: is2xx, keep: "m"},
			{do: "DELETE /c/", want: oneOf(423, 424, 207), has: []string{">/c/m<"}},
			{do: "DELETE /c/", with: "If: <{server}/c/m> (<{m}>)", want: is204},
			{do: "MKCOL /c", want: is201},
			{do: "PUT /c/m", body: "x", want: is201},
		}},
	}
}

func unlockScripts() []suiteScript {
	return []suiteScript{
		{name: "§9.11 a token that is none", steps: []suiteStep{
			{do: "UNLOCK /f", want: is400},
			{do: "UNLOCK /f", with: "Lock-Token: xxx", want: is400},
			{do: "UNLOCK /f", with: "Lock-Token: <opaquelocktoken:foobar>", want: is409, has: []string{"lock-token-matches-request-uri"}},
		}},
		{name: "§9.11.1 out of scope, then twice", steps: []suiteStep{
			{do: "LOCK /f", body: lockBody, want: is2xx, keep: "t"},
			{do: "UNLOCK /old", with: "Lock-Token: <{t}>", want: is409, has: []string{"lock-token-matches-request-uri"}},
			{do: "PUT /f", body: "x", want: is423},
			{do: "UNLOCK /f", with: "Lock-Token: <{t}>", want: is204},
			{do: "UNLOCK /f", with: "Lock-Token: <{t}>", want: is409},
		}},
		{name: "§9.11 through a member", steps: []suiteStep{
			{do: "LOCK /c/", body: lockBody, want: is2xx, keep: "t"},
			{do: "UNLOCK /c/s/d", with: "Lock-Token: <{t}>", want: is204},
			{do: "PUT /c/m", body: "x", want: is204},
		}},
	}
}

// TestSuiteLockTokens: no two are the same (§6.5), and LOCK's answers are what
// neon, on which litmus and davfs2 stand, can read.
func TestSuiteLockTokens(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	seen := make(map[string]bool)
	timeout := regexp.MustCompile(`timeout>(Infinite|Second-[1-9][0-9]*)<`)
	for range 20 {
		a := s.send("LOCK", "/f", lockBody, "Depth: 0", "Timeout: Second-3600")
		token := strings.Trim(a.header.Get("Lock-Token"), "<>")
		if seen[token] || !strings.Contains(a.body, ">"+token+"<") || !timeout.MatchString(a.body) {
			t.Fatalf("the token is %q, seen %t: %s", token, seen[token], a.body)
		}
		// litmus writes If with a token and two entity tags into 200 bytes.
		if tag := s.wants(200, "HEAD", "/f").header.Get("ETag"); len(fmt.Sprintf("(<%s> [%s]) (Not <DAV:no-lock> [%s])", token, tag, tag)) >= 200 || strings.Contains(tag, "~") {
			t.Errorf("the token %q and the entity tag %q are too long for litmus", token, tag)
		}
		seen[token] = true
		s.wants(204, "UNLOCK", "/f", "Lock-Token: <"+token+">")
	}
}

// TestSuiteIf: the conditional PUTs of litmus, and lists that are malformed.
func TestSuiteIf(t *testing.T) {
	start := []suiteStep{{do: "LOCK /f", with: "Depth: 0", body: lockBody, want: is2xx, keep: "t"}, {do: "HEAD /f", want: is2xx, keep: "e"}}
	for _, c := range []struct {
		name, value string
		want        []int
	}{
		{"§10.4.3 token and entity tag", "(<{t}> [{e}])", is204},
		{"§10.4.3 no-lock and entity tag", "(<DAV:no-lock> [{e}])", is412},
		{"§10.4.8 Not no-lock", "(<{t}>) (Not <DAV:no-lock>)", is204},
		{"§10.4.8 Not no-lock, the token corrupted", "(<{t}x>) (Not <DAV:no-lock>)", is423},
		{"§10.4.7 both lists hold", "(<{t}> [{e}]) (Not <DAV:no-lock> [{e}])", is204},
		{"§10.4.7 the entity tag differs", `(<{t}> ["other"]) (Not <DAV:no-lock> ["other"])`, is412},
		{"§10.4.7 Not with an entity tag", `(<{t}> Not ["other"])`, is204},
		{"§10.4.4 a weak entity tag", "(<{t}> [W/{e}])", oneOf(204, 412)},
		{"§10.4.6 tagged", "<{server}/f> (<{t}> [{e}])", is204},
		{"§10.4.6 tagged with a path", "</f> (<{t}>)", is204},
		{"§10.4.9 the other list is about another resource", `<{server}/old> (["other"]) <{server}/f> (<{t}>)`, is204},
		{"§10.4.9 about another resource only", "<{server}/old> (<{t}>)", is412},
		{"§10.4.1 a token is submitted by being there", "<{server}/none> (Not <DAV:no-lock>) <{server}/none> (<{t}>)", is204},
		{"§10.4.2 no list", "foobar", is400},
		{"§10.4.2 an empty list", "()", is400},
		{"§10.4.2 an empty list among others", "(<{t}>) ()", is400},
		{"§10.4.2 a tag without a list", "<{server}/f>", is400},
		{"§10.4.2 not closed", "(<{t}>", is400},
		{"§10.4.2 Not of nothing", "(Not)", is400},
		{"§10.4.2 an entity tag without quotes", "(<{t}> [other])", is400},
		{"§10.4.2 something behind it", "(<{t}>) x", is400},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.play(append(start, suiteStep{do: "PUT /f", with: "If: " + c.value, body: "zero", want: c.want})...)
			})
		})
	}
	playAll(t, []suiteScript{{name: "§10.4.3 no-lock on what is not locked", steps: []suiteStep{{do: "PUT /f", with: "If: (<DAV:no-lock>)", body: "zero", want: is412}}}})
}

func TestSuiteProps(t *testing.T) {
	const ns = "http://webdav.org/neon/litmus/"
	one := askProps(`<p xmlns="` + ns + `"/>`)
	scripts := []suiteScript{
		{name: "§9.2 in document order", steps: []suiteStep{
			{do: "PROPPATCH /f", body: propertyUpdate(`<remove><prop><p xmlns="` + ns + `"/></prop></remove><set><prop><p xmlns="` + ns + `">x</p></prop></set><set><prop><p xmlns="` + ns + `">y</p></prop></set>`), want: is207},
			{do: "PROPFIND /f", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "200 y"}},
			{do: "PROPPATCH /f", body: propertyUpdate(`<set><prop><p xmlns="` + ns + `">x</p></prop></set><remove><prop><p xmlns="` + ns + `"/></prop></remove>`), want: is207},
			{do: "PROPFIND /f", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "404"}},
		}},
		{name: "§14.23 removed twice", steps: []suiteStep{
			{do: "PROPPATCH /f", body: setProps(`<p xmlns="` + ns + `">x</p>`), want: is207},
			{do: "PROPPATCH /f", body: removeProps(`<p xmlns="` + ns + `"/>`), want: is207, props: map[string]string{ns + " p": "200"}},
			{do: "PROPPATCH /f", body: removeProps(`<p xmlns="` + ns + `"/>`), want: is207, props: map[string]string{ns + " p": "200"}},
		}},
		{name: "§4.3 in no namespace, above U+FFFF, white space", steps: []suiteStep{
			{do: "PROPPATCH /f", body: setProps(`<none xmlns="">v</none><high xmlns="` + ns + `">&#65536;</high><space xmlns="` + ns + `">a  b</space>`), want: is207},
			{do: "PROPFIND /f", with: "Depth: 0", body: askProps(`<none xmlns=""/><high xmlns="` + ns + `"/><space xmlns="` + ns + `"/>`), want: is207, props: map[string]string{"none": "200 v", ns + " high": "200 \U00010000", ns + " space": "200 a  b"}},
		}},
		{name: "§4.3 elements, attributes and namespaces in the value", steps: []suiteStep{
			{do: "PROPPATCH /c/", body: setProps(`<t:v xmlns:t="` + ns + `"><foo xmlns="bar"/></t:v><x:a xmlns:x="urn:x"><x:uri type='email' added='2007'>m</x:uri> too <h:em xmlns:h="urn:h">long</h:em>.</x:a>`), want: is207},
			{do: "PROPFIND /c/", with: "Depth: 0", body: askProps(`<v xmlns="` + ns + `"/><a xmlns="urn:x"/>`), want: is207, has: []string{`<foo xmlns="bar"`, `type='email' added='2007'`, `> too <h:em xmlns:h="urn:h">long</h:em>.<`}},
		}},
		{name: "§14.26 xml:lang", steps: []suiteStep{
			{do: "PROPPATCH /f", body: propertyUpdate(`<set><prop xml:lang="de"><p xmlns="` + ns + `">x</p></prop></set>`), want: is207},
			{do: "PROPFIND /f", with: "Depth: 0", body: one, want: is207, has: []string{`xml:lang="de"`}},
		}},
		{name: "§9.2 all or nothing", steps: []suiteStep{
			{do: "PROPPATCH /f", body: setProps(`<p xmlns="` + ns + `">x</p><getetag>"x"</getetag>`), want: is207, has: []string{"cannot-modify-protected-property"}, props: map[string]string{ns + " p": "424", "DAV: getetag": "403"}},
			{do: "PROPFIND /f", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "404"}},
		}},
		{name: "§15.2 displayname can be set", steps: []suiteStep{
			{do: "PROPPATCH /f", body: setProps(`<displayname>shown</displayname>`), want: is207, props: map[string]string{"DAV: displayname": "200"}},
			{do: "PROPFIND /f", with: "Depth: 0", body: askProps(`<displayname/>`), want: is207, props: map[string]string{"DAV: displayname": "200 shown"}},
		}},
		{name: "§9.8.2, §9.9.1, §9.6 dead properties follow COPY and MOVE and end with DELETE", steps: []suiteStep{
			{do: "PROPPATCH /f", body: setProps(`<p xmlns="` + ns + `">x</p>`), want: is207},
			{do: "COPY /f", with: "Destination: /old", want: is204},
			{do: "MOVE /f", with: "Destination: /g", want: is201},
			{do: "PROPFIND /old", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "200 x"}},
			{do: "PROPFIND /g", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "200 x"}},
			{do: "PUT /f", body: "new", want: is201},
			{do: "PROPFIND /f", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "404"}},
			{do: "DELETE /g", want: is204},
			{do: "PUT /g", body: "new", want: is201},
			{do: "PROPFIND /g", with: "Depth: 0", body: one, want: is207, props: map[string]string{ns + " p": "404"}},
		}},
		{name: "§17 an unknown element", steps: []suiteStep{{do: "PROPFIND /f", with: "Depth: 0", body: `<propfind xmlns="DAV:"><foobar/><allprop/></propfind>`, want: is207, has: []string{"getetag"}}}},
		{name: "§8.3, §9.1 Depth 1: each member once, a collection with its slash", steps: []suiteStep{{do: "PROPFIND /c", with: "Depth: 1", want: is207, has: []string{">/c/<", ">/c/m<", ">/c/s/<", ">/c/empty/<"}, lacks: []string{">/c/s/d<"}}}},
		{name: "§9.2 a body that is no propertyupdate", steps: []suiteStep{
			{do: "PROPPATCH /f", want: is400},
			{do: "PROPPATCH /f", body: askAll, want: is400},
			{do: "PROPPATCH /f", body: propertyUpdate(""), want: is400},
			{do: "PROPPATCH /f", body: removeProps(""), want: is400},
			{do: "PROPPATCH /f", body: "<foo>", want: is400},
		}},
	}
	var many, names strings.Builder
	want := make(map[string]string)
	for _, space := range strings.Fields("alpha beta gamma delta epsilon zeta eta theta iota kappa") {
		fmt.Fprintf(&many, `<somename xmlns=%q>manynsvalue</somename>`, space)
		fmt.Fprintf(&names, `<somename xmlns=%q/>`, space)
		want[space+" somename"] = "200 manynsvalue"
	}
	playAll(t, append(scripts, suiteScript{name: "§4.3 many namespaces", steps: []suiteStep{
		{do: "PROPPATCH /f", body: setProps(many.String()), want: is207},
		{do: "PROPFIND /f", with: "Depth: 0", body: askProps(names.String()), want: is207, props: want},
	}}))
}

// TestSuiteProtectedProperties tests properties that only the server sets (§15).
func TestSuiteProtectedProperties(t *testing.T) {
	for _, name := range []string{"getetag", "getcontentlength", "resourcetype", "lockdiscovery", "supportedlock", "quota-used-bytes", "quota-available-bytes"} {
		playAll(t, []suiteScript{{name: "§15 " + name, steps: []suiteStep{
			{do: "PROPPATCH /f", body: setProps("<" + name + ">1</" + name + ">"), want: is207, has: []string{"cannot-modify-protected-property"}, props: map[string]string{"DAV: " + name: "403"}},
			{do: "PROPPATCH /f", body: removeProps("<" + name + "/>"), want: is207, props: map[string]string{"DAV: " + name: "403"}},
		}}})
	}
}

// TestSuiteGetlastmodified: an RFC 1123 date (§15.7), the same as GET's.
func TestSuiteGetlastmodified(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		for _, target := range []string{"/f", "/c/"} {
			m := s.multistatus(s.send("PROPFIND", target, askProps("<getlastmodified/>"), depth0...))
			text := m.responses[target].dav("getlastmodified").text
			if !regexp.MustCompile(`^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$`).MatchString(text) {
				s.Errorf("getlastmodified of %s is %q", target, text)
			}
			if head := s.do("HEAD", target); head.header.Get("Last-Modified") != "" && head.header.Get("Last-Modified") != text {
				s.Errorf("Last-Modified of %s is %q, getlastmodified %q", target, head.header.Get("Last-Modified"), text)
			}
		}
	})
}

// TestSuiteReserved: litmus's suite "protected", on a name that is the server's
// own. What is accepted is the suite's.
func TestSuiteReserved(t *testing.T) {
	const into, out = "Destination: {server}/.davd-x/to", "Destination: {server}/out"
	const onto = "Destination: {server}/.davd-x/ | Overwrite: T"
	playAll(t, []suiteScript{{name: "§8.1 reserved names", steps: []suiteStep{
		{do: "MKCOL /.davd-x/", want: oneOf(403, 405)},
		{do: "PUT /.davd-x/test.txt", body: "x", want: oneOf(403, 404, 405, 409)},
		{do: "GET /.davd-x/test.txt", want: oneOf(403, 404)},
		{do: "MKCOL /.davd-x/sub/", want: oneOf(403, 404, 405, 409)},
		{do: "MOVE /f", with: into + " | Overwrite: F", want: oneOf(403, 404, 405, 409, 502)},
		{do: "COPY /.davd-x/test.txt", with: into, want: oneOf(403, 404, 405, 409, 502)},
		{do: "COPY /.davd-x/test.txt", with: "Destination: {server}//out", want: oneOf(403, 405, 502)},
		{do: "MOVE /.davd-x/test.txt", with: out, want: oneOf(403, 404, 405, 502)},
		{do: "COPY /.davd-x/", with: out, want: oneOf(403, 405, 502)},
		{do: "DELETE /.davd-x/test.txt", want: oneOf(403, 404, 405)},
		{do: "DELETE /.davd-x/", want: oneOf(403, 404, 405)},
		{do: "MOVE /f", with: onto, want: oneOf(403, 405, 409, 502)},
		{do: "COPY /f", with: onto, want: oneOf(403, 405, 409, 502)},
		{do: "LOCK /.davd-x/test.txt", with: "Depth: 0", body: lockBody, want: oneOf(403, 404, 405)},
		{do: "LOCK /.davd-x/", body: lockBody, want: oneOf(403, 404, 405)},
		{do: "PROPPATCH /.davd-x/", body: setProp, want: oneOf(403, 404, 405)},
		{do: "GET /f", want: is2xx},
	}}})
}

// TestSuitePreconditions checks that If-Match and If apply to every method.
func TestSuitePreconditions(t *testing.T) {
	var ifMatch, ifLists []suiteStep
	for _, do := range []string{"GET /f", "HEAD /f", "PUT /f", "DELETE /f", "DELETE /c/", "COPY /f", "MOVE /f", "MOVE /c/", "PROPFIND /f", "PROPPATCH /f", "LOCK /f"} {
		body := map[string]string{"PUT": "x", "PROPPATCH": setProp, "LOCK": lockBody}[strings.Fields(do)[0]]
		ifMatch = append(ifMatch, suiteStep{do: do, with: `Destination: /g | If-Match: "other"`, body: body, want: is412})
		ifLists = append(ifLists, suiteStep{do: do, with: `Destination: /g | If: (["other"])`, body: body, want: is412})
	}
	playAll(t, []suiteScript{
		{name: "RFC 9110 §13.1.1 another entity tag", steps: ifMatch},
		{name: "§10.4.3 another entity tag", steps: ifLists},
		{name: "RFC 9110 §13.1.1 any, of what is not there", steps: []suiteStep{
			{do: "PUT /new", with: "If-Match: *", body: "x", want: is412},
			{do: "MKCOL /new", with: "If-Match: *", want: is412},
			{do: "LOCK /new", with: "If-Match: *", body: lockBody, want: is412},
			{do: "PROPFIND /new", want: is404},
		}},
		{name: "RFC 9110 §13.1.2 none may be there", steps: []suiteStep{
			{do: "PUT /f", with: "If-None-Match: *", body: "x", want: is412},
			{do: "LOCK /f", with: "If-None-Match: *", body: lockBody, want: is412},
			{do: "MKCOL /c/", with: "If-None-Match: *", want: oneOf(405, 412)},
			{do: "GET /f", with: "If-None-Match: *", want: oneOf(304)},
			{do: "PUT /new", with: "If-None-Match: *", body: "x", want: is201},
		}},
		{name: "RFC 9110 §13.1.4 changed since", steps: []suiteStep{
			{do: "PUT /f", with: "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT", body: "x", want: is412},
			{do: "DELETE /c/", with: "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT", want: is412},
			{do: "GET /f", with: "If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT", want: is2xx},
		}},
	})
}

// TestSuiteEntityTags: OmniGroup's rules. A collection has an entity tag, which
// goes with it, on a storage that keeps the time of a collection's change.
func TestSuiteEntityTags(t *testing.T) {
	tag := askProps("<getetag/>")
	for _, c := range []suiteScript{
		{name: "RFC 9110 §13.1.1 GET", steps: []suiteStep{
			{do: "PUT /g", body: "sixteen bytes ok", want: is201},
			{do: "PROPFIND /g", with: "Depth: 0", body: tag, want: is207, keep: "e"},
			{do: "GET /g", with: "If-Match: {e}", want: is2xx},
			{do: "PUT /g", body: "more bytes than there were before", want: is204},
			{do: "GET /g", with: "If-Match: {e}", want: is412},
			{do: "PUT /g", with: "If-Match: {e}", body: "x", want: is412},
			{do: "PUT /g", with: "If-None-Match: *", body: "x", want: is412},
			{do: "PUT /none", with: "If-Match: *", body: "x", want: is412},
		}},
		{name: "§10.4 MOVE, the source unchanged", steps: []suiteStep{
			{do: "PROPFIND /c/", with: "Depth: 0", body: tag, want: is207, keep: "e"},
			{do: "MOVE /c/", with: "Destination: {server}/d%20e/ | Overwrite: F | If: <{server}/c/> ([{e}])", want: is201},
			{do: "PROPFIND /d%20e/", with: "Depth: 0 | If-Match: {e}", want: is207},
		}},
		{name: "§10.4 MOVE and COPY, the source changed", steps: []suiteStep{
			{do: "MKCOL /n/", want: is201},
			{do: "PROPFIND /n/", with: "Depth: 0", body: tag, want: is207, keep: "e"},
			{do: "PUT /n/file", want: is201},
			{do: "MOVE /n/", with: "Destination: {server}/d/ | Overwrite: F | If: <{server}/n/> ([{e}])", want: is412},
			{do: "COPY /n/", with: "Destination: {server}/d/ | If: <{server}/n/> ([{e}])", want: is412},
			{do: "PROPFIND /d/", want: is404},
			{do: "PROPFIND /n/", with: "Depth: 0", body: tag, want: is207, keep: "e"},
			{do: "COPY /n/", with: "Destination: {server}/d/ | Overwrite: F | If: <{server}/n/> ([{e}])", want: is201},
			{do: "GET /d/file", want: is2xx},
		}},
		{name: "§10.4 MOVE, the destination tagged", steps: []suiteStep{
			{do: "PROPFIND /o/", with: "Depth: 0", body: tag, want: is207, keep: "a1"},
			{do: "PUT /o/more", want: is201},
			{do: "PROPFIND /o/", with: "Depth: 0", body: tag, want: is207, keep: "a2"},
			{do: "PROPFIND /c/", with: "Depth: 0", body: tag, want: is207, keep: "b"},
			{do: "MOVE /c/", with: "Destination: {server}/o/ | Overwrite: T | If: <{server}/o/> ([{a1}])", want: is412},
			{do: "PROPFIND /c/", with: "Depth: 0 | If-Match: {b}", want: is207},
			{do: "PROPFIND /o/", with: "Depth: 0 | If-Match: {a2}", want: is207},
			{do: "MOVE /c/", with: "Destination: {server}/o/ | Overwrite: T | If: <{server}/o/> ([{a2}])", want: is204},
			{do: "PROPFIND /o/", with: "Depth: 0 | If-Match: {b}", want: is207},
			{do: "PROPFIND /c/", want: is404},
		}},
		{name: "RFC 9110 §13.1.1 PROPFIND and DELETE", steps: []suiteStep{
			{do: "MKCOL /n/", want: is201},
			{do: "PROPFIND /n/", with: "Depth: 0", body: tag, want: is207, keep: "e"},
			{do: "PUT /n/file", want: is201},
			{do: "PROPFIND /n/", with: "Depth: 1 | If-Match: {e}", want: is412},
			{do: "DELETE /n/", with: "If-Match: {e}", want: is412},
			{do: "PROPFIND /n/", with: "Depth: 0", body: tag, want: is207, keep: "e"},
			{do: "DELETE /n/", with: "If-Match: {e}", want: is204},
		}},
	} {
		t.Run(c.name, func(t *testing.T) { serveLocal(t, &dav.Handler{}, garden()).play(c.steps...) })
	}
}

// TestSuiteEntityTagsDiffer: an entity tag never comes back with another
// representation (RFC 9110 §8.8.1), however quickly they follow one another.
func TestSuiteEntityTagsDiffer(t *testing.T) {
	test := func(s *share) {
		for _, target := range []string{"/f", "/c/"} {
			seen := make(map[string]int)
			for i := range 100 {
				name := "/f"
				if target == "/c/" {
					name = fmt.Sprintf("/c/member%d", i)
				}
				s.send("PUT", name, fmt.Sprintf("content %03d", i))
				tag := s.wants(200, "HEAD", target).header.Get("ETag")
				if before, twice := seen[tag]; twice || tag == "" {
					s.Fatalf("%s has the entity tag %q after change %d and after change %d", target, tag, before, i)
				}
				seen[tag] = i
			}
		}
	}
	t.Run("local", func(t *testing.T) { test(serveLocal(t, &dav.Handler{}, garden())) })
	t.Run("afero", func(t *testing.T) {
		test(serve(t, aferofs.New(afero.NewMemMapFs()), &dav.Handler{}, garden()))
	})
	// The collections of webdav.NewMemFS keep their creation time.
}

// TestSuiteGzip: content that is compressed stays as it is, without
// Content-Encoding (OmniDAV's documents are such files).
func TestSuiteGzip(t *testing.T) {
	content := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	onBackends(t, layout{"/file": content, "/x.gz": content, "/x.svgz": content}, func(s *share) {
		for _, target := range []string{"/file", "/x.gz", "/x.svgz"} {
			if a := s.wants(200, "GET", target, "Accept-Encoding: gzip"); a.body != content || a.header.Get("Content-Encoding") != "" || a.header.Get("Date") == "" {
				s.Errorf("GET %s is %q with %v", target, a.body, a.header)
			}
		}
	})
}

// TestSuiteOver4GiB tests lengths beyond 32 bits, on a sparse file.
func TestSuiteOver4GiB(t *testing.T) {
	const size = 1<<32 + 11
	s := serveLocal(t, &dav.Handler{}, layout{"/large": "begin"})
	if err := os.Truncate(filepath.Join(s.dir, "large"), size); err != nil {
		t.Fatal(err)
	}
	if length := s.wants(200, "HEAD", "/large").header.Get("Content-Length"); length != strconv.Itoa(size) {
		t.Errorf("Content-Length %s, want %d", length, size)
	}
	if a := s.wants(206, "GET", "/large", "Range: bytes=4294967296-"); len(a.body) != 11 {
		t.Errorf("the last 11 bytes are %d", len(a.body))
	}
	s.hasProps("PROPFIND", s.send("PROPFIND", "/large", askProps("<getcontentlength/>"), depth0...), map[string]string{"DAV: getcontentlength": "200 " + strconv.Itoa(size)})
}

// TestSuiteLockbomb: 20 clients that lock and unlock, each a file of its own
// under a path with an empty segment.
func TestSuiteLockbomb(t *testing.T) {
	onBackends(t, layout{}, func(s *share) {
		var clients sync.WaitGroup
		for i := range 20 {
			clients.Go(func() {
				if err := bomb(s, fmt.Sprintf("//lb-lock-%04d", i), 25); err != nil {
					s.Error(err)
				}
			})
		}
		clients.Wait()
	})
}

func bomb(s *share, target string, rounds int) error {
	a, err := send(s.TB, s.server, "PUT", target, "")
	for i := 0; err == nil && i < rounds; i++ {
		if a.status/100 != 2 {
			return fmt.Errorf("%s in round %d: %d %s", target, i, a.status, a.body)
		}
		if a, err = send(s.TB, s.server, "LOCK", target, lockBody, depth0...); err != nil {
			break
		}
		token := a.header.Get("Lock-Token")
		if a.status != http.StatusOK || !strings.Contains(a.body, strings.Trim(token, "<>")) {
			return fmt.Errorf("LOCK %s in round %d: %d %q %s", target, i, a.status, token, a.body)
		}
		a, err = send(s.TB, s.server, "UNLOCK", target, "", "Lock-Token: "+token)
	}
	return err
}

// TestXNetPrefix: a Handler with Prefix behind a mux, from MKCOL to a PUT with
// the token of a lock on a URL where nothing was. That PUT is the first
// representation of the resource: 201.
func TestXNetPrefix(t *testing.T) {
	requests := []struct {
		method, target, body, with string
	}{
		{method: "MKCOL", target: "/a"},
		{method: "MKCOL", target: "/a/b"},
		{method: "PUT", target: "/a/b/c", body: "blah blah blah"},
		{method: "COPY", target: "/a/b/c", with: "Destination: {server}/a/b/d"},
		{method: "MKCOL", target: "/a/b/e"},
		{method: "MOVE", target: "/a/b/d", with: "Destination: {server}/a/b/e/f"},
		{method: "LOCK", target: "/a/b/e/g", body: lockBody},
		{method: "PUT", target: "/a/b/e/g", body: "blah blah blah", with: "If: <{server}/a/b/e/g> ({token})"},
	}
	for prefix, names := range map[string]string{
		"/": "/a/ /a/b/ /a/b/c /a/b/e/ /a/b/e/f /a/b/e/g", "/a/": "/b/ /b/c /b/e/ /b/e/f /b/e/g", "/a/b/": "/c /e/ /e/f /e/g", "/a/b/c/": "",
	} {
		t.Run(prefix, func(t *testing.T) {
			fsys := webdav.NewMemFS()
			h := &dav.Handler{FileSystem: fsys, LockSystem: webdav.NewMemLS()}
			if prefix != "/" {
				h.Prefix = prefix
			}
			mux := http.NewServeMux()
			mux.Handle(prefix, h)
			s := &share{TB: t, fsys: fsys, h: h, server: httptest.NewServer(mux)}
			defer s.server.Close()
			token := ""
			for _, r := range requests {
				var fields []string
				if r.with != "" {
					fields = []string{strings.ReplaceAll(r.with, "{token}", token)}
				}
				a := s.send(r.method, r.target, r.body, fields...)
				token = a.header.Get("Lock-Token")
				switch inside := strings.HasPrefix(r.target, prefix); {
				case r.target+"/" == prefix && a.status/100 != 3:
					t.Errorf("%s %s is %d, want the mux's redirect", r.method, r.target, a.status)
				case inside && a.status != http.StatusCreated:
					t.Errorf("%s %s is %d, want 201: %s", r.method, r.target, a.status, a.body)
				case !inside && r.target+"/" != prefix && a.status != http.StatusNotFound:
					t.Errorf("%s %s is %d, want 404", r.method, r.target, a.status)
				}
			}
			if got := strings.Join(slices.Sorted(maps.Keys(s.tree())), " "); got != names {
				t.Errorf("the storage holds %q, want %q", got, names)
			}
		})
	}
}

// TestXNetFilenameEscape: how names are written in href and displayname. The
// resource itself comes first, also without Depth.
func TestXNetFilenameEscape(t *testing.T) {
	href := regexp.MustCompile(`<D:href>([^<]*)</D:href>`)
	displayname := regexp.MustCompile(`<D:displayname(?:/>|>([^<]*)</D:displayname>)`)
	cases := []struct{ name, href, displayname string }{
		{"/foo%bar", "/foo%25bar", "foo%bar"},
		{"/こんにちわ世界", "/%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%82%8F%E4%B8%96%E7%95%8C", "こんにちわ世界"},
		{"/Program Files/", "/Program%20Files/", "Program Files"},
		{"/go+lang", "/go+lang", "go+lang"},
		{"/go&lang", "/go&amp;lang", "go&amp;lang"},
		{"/go<lang", "/go%3Clang", "go&lt;lang"},
		{"/", "/", ""},
	}
	l := layout{}
	for _, c := range cases[:len(cases)-1] {
		l[c.name] = ""
	}
	s := serveMem(t, &dav.Handler{}, l)
	for _, c := range cases {
		a := s.wants(207, "PROPFIND", (&url.URL{Path: c.name}).EscapedPath())
		h, d := href.FindStringSubmatch(a.body), displayname.FindStringSubmatch(a.body)
		if h == nil || d == nil || h[1] != c.href || d[1] != c.displayname {
			t.Errorf("%s: href %q, displayname %q; want %q, %q", c.name, h, d, c.href, c.displayname)
		}
	}
}

// TestXNetPut: x/net says 404 of the root; here it is a collection like any other.
func TestXNetPut(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, layout{})
	for target, want := range map[string]int{"/res": 201, "/res-%e2%82%ac": 201, "": 405, "/": 405, "/409me/noparent.txt": 409} {
		if a := s.send("PUT", target, "ABC\n"); a.status != want {
			t.Errorf("PUT %q is %d, want %d: %s", target, a.status, want, a.body)
		}
	}
}

// TestXNetBodies: request bodies that x/net's readers refuse or take.
func TestXNetBodies(t *testing.T) {
	lockinfo := func(owner string) string {
		return `<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>` + owner
	}
	propfind := func(content string) string {
		return `<A:propfind xmlns:A='DAV:' xmlns:E='urn:e'>` + content + `</A:propfind>`
	}
	const refused, taken = 400, 207
	for _, c := range []struct {
		name, do, body string
		want           int
	}{
		{"§9.10.1 junk", "LOCK /f", "xxx", refused},
		{"§9.10.1 an element that is not closed", "LOCK /f", lockinfo("<D:href> no end tag </D:owner></D:lockinfo>"), refused},
		{"§9.10.1 no UTF-8", "LOCK /f", lockinfo("<D:href>\xff</D:href></D:owner></D:lockinfo>"), refused},
		{"§9.10.1 cut off", "LOCK /f", lockinfo(""), refused},
		{"§9.10.7 owner with white space", "LOCK /f", lockinfo("\n <D:href>http://example.org/~ejw/contact.html</D:href>\n </D:owner></D:lockinfo>"), 200},
		{"§9.1 junk", "PROPFIND /f", "xxx", refused},
		{"§14.20 propname and allprop", "PROPFIND /f", propfind("<A:propname/><A:allprop/>"), refused},
		{"§14.20 propname and prop", "PROPFIND /f", propfind("<A:prop><A:displayname/></A:prop><A:propname/>"), refused},
		{"§14.20 allprop and prop", "PROPFIND /f", propfind("<A:allprop/><A:prop><A:displayname/></A:prop>"), refused},
		{"§14.20 nothing known", "PROPFIND /f", propfind("<E:expired-props/>"), refused},
		{"§14.18 an empty prop, which x/net refuses", "PROPFIND /f", propfind("<A:prop/>"), taken},
		{"§14.20 include without allprop", "PROPFIND /f", propfind("<A:include><A:displayname/></A:include>"), refused},
		{"§8.2 cut off", "PROPFIND /f", `<A:propfind xmlns:A='DAV:'><A:prop><foo></A:propfind>`, refused},
		{"§8.2 an empty prefix declaration", "PROPFIND /f", propfind(`<A:prop><bar:foo xmlns:bar=""/></A:prop>`), refused},
		{"§14.20 allprop with include", "PROPFIND /f", propfind("<A:allprop/><A:include><A:displayname/></A:include>"), taken},
		{"§14.20 include before allprop", "PROPFIND /f", propfind("<A:include><A:displayname/></A:include><A:allprop/>"), taken},
		{"§17 comments and text", "PROPFIND /f", propfind("foo<A:prop>bar<!-- c --><A:displayname/>\n</A:prop>"), taken},
		{"§17 an unknown element", "PROPFIND /f", propfind("<A:propname/><E:leave-out>*boss*</E:leave-out>"), taken},
		{"§9.2 an empty propertyupdate", "PROPPATCH /f", `<D:propertyupdate xmlns:D="DAV:"/>`, refused},
		{"§14.23 an empty prop", "PROPPATCH /f", removeProps(""), refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			method, target, _ := strings.Cut(c.do, " ")
			if a := s.send(method, target, c.body, depth0...); a.status != c.want {
				t.Errorf("%d, want %d: %s", a.status, c.want, a.body)
			}
		})
	}
}

// taggedFS is a FileSystem whose FileInfos are an ETager and a ContentTyper.
type taggedFS struct {
	webdav.FileSystem
	err error
}

func (f taggedFS) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	info, err := f.FileSystem.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	return taggedInfo{info, f.err}, nil
}

type taggedInfo struct {
	os.FileInfo
	err error
}

func (i taggedInfo) ETag(context.Context) (string, error)        { return `"overridden"`, i.err }
func (i taggedInfo) ContentType(context.Context) (string, error) { return "text/overridden", i.err }

// TestXNetOverrides: an ETager and a ContentTyper are asked; one that has not
// implemented it is passed over.
func TestXNetOverrides(t *testing.T) {
	for _, err := range []error{nil, webdav.ErrNotImplemented} {
		s := serve(t, taggedFS{webdav.NewMemFS(), err}, &dav.Handler{}, layout{"/f.txt": "file"})
		m := s.multistatus(s.send("PROPFIND", "/f.txt", askProps("<getetag/><getcontenttype/>"), depth0...))
		tag, kind := m.responses["/f.txt"].dav("getetag").text, m.responses["/f.txt"].dav("getcontenttype").text
		overridden := tag == `"overridden"` && kind == "text/overridden"
		original := tag != "" && tag != `"overridden"` && kind == "text/plain; charset=utf-8"
		if errors.Is(err, webdav.ErrNotImplemented) && !original || err == nil && !overridden {
			t.Errorf("with the error %v: getetag %s, getcontenttype %s", err, tag, kind)
		}
	}
}
