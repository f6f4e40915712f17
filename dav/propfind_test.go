package dav_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/storagetest"
)

const (
	askNames = `<propfind xmlns="DAV:"><propname/></propfind>`
	askAll   = `<propfind xmlns="DAV:"><allprop/></propfind>`
	askTwo   = `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>`
	// setProp sets dead properties in a namespace, in DAV: and in none.
	setProp = `<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x"><D:set><D:prop><x:colour>blue &amp; <x:b>deep</x:b></x:colour>` +
		`<D:own>mine</D:own><none xmlns="">nothing</none></D:prop></D:set></D:propertyupdate>`
)

func TestPropfindDepth(t *testing.T) {
	for _, c := range []struct {
		name, target string
		fields       []string
		want         []string
	}{
		{"§10.2 0", "/dav/c/", []string{"Depth: 0"}, []string{"/dav/c/"}},
		{"§10.2 1", "/dav/c/", []string{"Depth: 1"}, []string{"/dav/c/", "/dav/c/m", "/dav/c/s/", "/dav/c/empty/"}},
		{"§10.2 infinity", "/dav/c/", []string{"Depth: infinity"}, []string{"/dav/c/", "/dav/c/m", "/dav/c/s/", "/dav/c/s/d", "/dav/c/empty/"}},
		{"§9.1 without Depth", "/dav/c/", nil, []string{"/dav/c/", "/dav/c/m", "/dav/c/s/", "/dav/c/s/d", "/dav/c/empty/"}},
		{"§5.2 without the slash", "/dav/c", []string{"Depth: 0"}, []string{"/dav/c/"}},
		{"file", "/dav/f", []string{"Depth: 1"}, []string{"/dav/f"}},
		{"file with a slash", "/dav/f/", []string{"Depth: infinity"}, []string{"/dav/f"}},
		{"root", "/dav/", []string{"Depth: 1"}, []string{"/dav/", "/dav/f", "/dav/c/", "/dav/old", "/dav/o/"}},
		{"root without the slash", "/dav", []string{"Depth: 0"}, []string{"/dav/"}},
		{"empty collection", "/dav/c/empty/", []string{"Depth: 1"}, []string{"/dav/c/empty/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.h.Prefix = "/dav"
				m := s.multistatus(s.send("PROPFIND", c.target, askTwo, c.fields...))
				if got := slices.Sorted(slices.Values(m.hrefs)); !slices.Equal(got, slices.Sorted(slices.Values(c.want))) {
					s.Errorf("%q, want %q", got, c.want)
				}
				for i, href := range m.hrefs {
					_, isCollection := garden()[strings.TrimPrefix(href, "/dav")]
					isCollection = isCollection && strings.HasSuffix(href, "/") || href == "/dav/"
					if got := m.responses[href].dav("resourcetype"); (got.inner != "") != isCollection || got.status != 200 {
						s.Errorf("%s is %+v", href, got)
					}
					if holder := href[:strings.LastIndexByte(strings.TrimSuffix(href, "/"), '/')+1]; i > 0 && !slices.Contains(m.hrefs[:i], holder) {
						s.Errorf("%s is in front of %s", href, holder)
					}
				}
			})
		})
	}
}

func TestPropfindRefused(t *testing.T) {
	for _, c := range []struct {
		name, target, body string
		fields             []string
		status             int
	}{
		{"missing", "/missing", "", nil, 404},
		{"missing member", "/c/missing", askAll, nil, 404},
		{"missing collection", "/missing/m", askAll, nil, 404},
		{"§10.2 Depth 2", "/c/", "", []string{"Depth: 2"}, 400},
		{"§8.2 no XML", "/c/", "hello", nil, 400},
		{"§8.2 malformed", "/c/", `<propfind xmlns="DAV:"><prop>`, nil, 400},
		{"§8.2 another root", "/c/", `<D:prop xmlns:D="DAV:"/>`, nil, 400},
		{"§20.6 document type", "/c/", `<!DOCTYPE a [<!ENTITY b "c">]>` + askAll, nil, 400},
		{"charset", "/c/", `<?xml version="1.0" encoding="UTF-16"?>` + askAll, nil, 400},
		{"malformed, and missing", "/missing", "hello", nil, 400},
		{"too large", "/c/", askAll + strings.Repeat(" ", 2<<20), nil, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				if a := s.send("PROPFIND", c.target, c.body, c.fields...); a.status != c.status {
					s.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
				}
			})
		})
	}
}

// TestPropfindHugeBody: 32 MiB of property names are refused after the first.
func TestPropfindHugeBody(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	names := io.LimitReader(readerFunc(func(p []byte) (int, error) {
		return copy(p, "<a/><a/><a/><a/><a/><a/><a/><a/>"), nil
	}), 32<<20)
	request, err := http.NewRequestWithContext(t.Context(), "PROPFIND", s.server.URL+"/", io.MultiReader(strings.NewReader(`<propfind xmlns="DAV:"><prop>`), names))
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", response.StatusCode)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// colour and the others are what setProp sets.
var (
	colour = xml.Name{Space: "urn:x", Local: "colour"}
	own    = xml.Name{Space: "DAV:", Local: "own"}
	none   = xml.Name{Local: "none"}
)

func davNames(locals ...string) []xml.Name {
	var names []xml.Name
	for _, local := range locals {
		names = append(names, xml.Name{Space: "DAV:", Local: local})
	}
	return names
}

func TestPropfindKinds(t *testing.T) {
	ofFile := davNames("resourcetype", "displayname", "getcontentlength", "getlastmodified", "getcontenttype", "getetag", "supportedlock", "lockdiscovery")
	ofCollection := davNames("resourcetype", "displayname", "getlastmodified", "getetag", "supportedlock", "lockdiscovery")
	dead := []xml.Name{colour, own, none}
	prop := func(content string) string {
		return `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x">` + content + `</D:propfind>`
	}
	for _, c := range []struct {
		name, target, body string
		found, missing     []xml.Name
		empty              bool // no values
	}{
		{name: "§9.1 no body", target: "/f", found: slices.Concat(ofFile, dead)},
		{name: "§9.1.5 allprop", target: "/f", body: askAll, found: slices.Concat(ofFile, dead)},
		{name: "§9.1.5 allprop of a collection", target: "/c/", body: askAll, found: ofCollection},
		{name: "§9.1.4 propname", target: "/f", body: askNames, found: slices.Concat(ofFile, dead), empty: true},
		{name: "§9.1.4 propname of a collection", target: "/c/", body: askNames, found: ofCollection, empty: true},
		{name: "§9.1.3 named", target: "/f", body: prop("<D:prop><D:getetag/><x:colour/></D:prop>"), found: append(davNames("getetag"), colour)},
		{name: "§9.1.3 named, in DAV: and in no namespace", target: "/f", body: prop("<D:prop><D:own/><none/></D:prop>"), found: []xml.Name{own, none}},
		{
			name: "§9.1.1 some are not found", target: "/f", body: prop("<D:prop><D:getetag/><x:size/><D:quota-used-bytes/><colour/></D:prop>"),
			found: davNames("getetag"), missing: append(davNames("quota-used-bytes"), xml.Name{Space: "urn:x", Local: "size"}, xml.Name{Local: "colour"}),
		},
		{name: "§9.1.1 none is found", target: "/f", body: prop("<D:prop><x:size/></D:prop>"), missing: []xml.Name{{Space: "urn:x", Local: "size"}}},
		{name: "a file's property of a collection", target: "/c/", body: prop("<D:prop><D:getcontentlength/><D:resourcetype/></D:prop>"), found: davNames("resourcetype"), missing: davNames("getcontentlength")},
		{name: "empty prop", target: "/f", body: prop("<D:prop/>")},
		{
			name: "§9.1.6 include", target: "/f", body: prop("<D:allprop/><D:include><x:size/><D:getetag/><x:colour/></D:include>"),
			found: slices.Concat(ofFile, dead), missing: []xml.Name{{Space: "urn:x", Local: "size"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			if a := s.send("PROPPATCH", "/f", setProp); a.status != http.StatusMultiStatus {
				t.Fatalf("PROPPATCH is %d", a.status)
			}
			m := s.multistatus(s.send("PROPFIND", c.target, c.body, "Depth: 0"))
			r, ok := m.responses[c.target]
			if !ok || len(m.responses) != 1 {
				t.Fatalf("responses for %q", m.hrefs)
			}
			want := make(map[xml.Name]int)
			for _, name := range c.found {
				want[name] = 200
			}
			for _, name := range c.missing {
				want[name] = 404
			}
			got := make(map[xml.Name]int)
			for name, p := range r.props {
				got[name] = p.status
				if (c.empty || p.status != 200) && p.inner != "" {
					t.Errorf("%v has the value %q", name, p.inner)
				}
			}
			if !maps.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			if p, found := r.props[colour]; found && !c.empty && (p.text != "blue & " || !strings.Contains(p.inner, "deep")) {
				t.Errorf("colour is %+v", p)
			}
		})
	}
}

// TestPropfindValues checks that PROPFIND and GET agree.
func TestPropfindValues(t *testing.T) {
	l := garden().with(layout{"/page.html": "<html></html>", "/none.unknown-extension": "x", "/c/deep.txt": "t"})
	onBackends(t, l, func(s *share) {
		m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity"))
		for name, content := range l {
			if strings.HasSuffix(name, "/") {
				continue
			}
			get, r := s.wants(200, "GET", name), m.responses[name]
			if got := r.dav("getetag").text; got != get.header.Get("ETag") || got == "" {
				s.Errorf("%s: getetag %q, ETag %q", name, got, get.header.Get("ETag"))
			}
			if got := r.dav("getlastmodified").text; got != get.header.Get("Last-Modified") || got == "" {
				s.Errorf("%s: getlastmodified %q, Last-Modified %q", name, got, get.header.Get("Last-Modified"))
			}
			if got := r.dav("getcontentlength").text; got != strconv.Itoa(len(content)) {
				s.Errorf("%s: getcontentlength %q, want %d", name, got, len(content))
			}
			if want := strings.TrimPrefix(name[strings.LastIndexByte(name, '/'):], "/"); r.dav("displayname").text != want {
				s.Errorf("%s: displayname %q", name, r.dav("displayname").text)
			}
		}
		if got := m.responses["/page.html"].dav("getcontenttype").text; got != "text/html; charset=utf-8" {
			s.Errorf("getcontenttype %q", got)
		}
		if got := m.responses["/none.unknown-extension"].dav("getcontenttype").text; got != "application/octet-stream" {
			s.Errorf("getcontenttype %q", got)
		}
	})
}

// tagged is storage whose files have their own entity tags and content types.
type tagged struct{ storage.FS }

type taggedFile struct{ webdav.File }

type taggedFileInfo struct{ fs.FileInfo }

func (taggedFileInfo) ETag(context.Context) (string, error)        { return `W/"own<&>"`, nil }
func (taggedFileInfo) ContentType(context.Context) (string, error) { return "own/type", nil }

func (f tagged) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := f.FS.Stat(ctx, name)
	return taggedFileInfo{info}, err
}

func (f tagged) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (webdav.File, error) {
	file, err := f.FS.OpenFile(ctx, name, flag, perm)
	return taggedFile{file}, err
}

func (f taggedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return taggedFileInfo{info}, err
}

func (f taggedFile) Readdir(count int) ([]fs.FileInfo, error) {
	infos, err := f.File.Readdir(count)
	for i := range infos {
		infos[i] = taggedFileInfo{infos[i]}
	}
	return infos, err
}

// TestPropfindTagged checks that PROPFIND uses webdav.ETager and webdav.ContentTyper.
func TestPropfindTagged(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.h.FileSystem = tagged{s.fsys}
	for _, depth := range []string{"0", "1"} {
		for href, r := range s.multistatus(s.send("PROPFIND", "/c/s/", askAll, "Depth: "+depth)).responses {
			if href == "/c/s/d" && (r.dav("getetag").text != `W/"own<&>"` || r.dav("getcontenttype").text != "own/type") {
				t.Errorf("Depth %s: %+v", depth, r)
			}
		}
	}
	s.wants(412, "DELETE", "/f", `If: (Not [W/"own<&>"])`)
}

var hostileNames = []string{
	"%", "%25", "%2F", "#", "?", "&", "<>", `"`, "'", "a b", " ", "ä", "a\u0308", "€", "\U0001F600", "+", ";", "=", "[]", "{}", "|", "^", "`",
	"*", ":", "~", "$", "@", "!", "(a)", ",", "...", "..a", "a\nb", "a\rb", "a\tb", "\x01", "\x7f", "\\", "]]>", "\ufffe", "\xff\xfe", "a\xc3",
	strings.Repeat("x", 255), strings.Repeat("ä", 127),
}

// TestPropfindHostileNames checks that a client can use the href of every name.
func TestPropfindHostileNames(t *testing.T) {
	l := layout{}
	for _, name := range hostileNames {
		l["/n/"+name] = "content of " + name
		l["/c/"+name+"/"] = ""
	}
	onBackends(t, l, func(s *share) {
		m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity"))
		got := layout{}
		for _, href := range m.hrefs {
			u, err := url.Parse(href)
			if err != nil {
				s.Fatal(err)
			}
			if href == "/" {
				continue
			}
			got[u.Path] = ""
			if !strings.HasSuffix(href, "/") {
				a := s.wants(200, "GET", href)
				got[u.Path] = a.body
			}
			if one := s.multistatus(s.send("PROPFIND", href, askAll, "Depth: 0")); len(one.hrefs) != 1 || one.hrefs[0] != href {
				s.Errorf("PROPFIND of %s shows %q", href, one.hrefs)
			}
		}
		for name, content := range l.full() {
			if what, ok := got[name]; !ok || what != content {
				s.Errorf("%q is not shown", name)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			s.Errorf("%q are shown", got)
		}
	})
}

// TestPropfindMemberFails checks that a member that can't be described has its own
// status, and that the others are listed.
func TestPropfindMemberFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		op     string
		fails  string
		err    error
		href   string
		status int
		gone   []string // not shown
	}{
		{"dead properties", "readprops", "/c/m", syscall.EACCES, "/c/m", 403, nil},
		{"dead properties, broken", "readprops", "/c/m", syscall.EIO, "/c/m", 500, nil},
		{"a collection that can't be listed", "readdir", "/c/s", syscall.EACCES, "/c/s", 403, []string{"/c/s/", "/c/s/d"}},
		{"a collection that is gone", "readdir", "/c/s", fs.ErrNotExist, "", 0, []string{"/c/s/", "/c/s/d"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.h.State = stateOf(t, parts{properties: faultyProps{s, deadprops.NewMem()}})
				s.fail(c.err, c.op, c.fails)
				m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity"))
				var got, want []string
				for href, r := range m.responses {
					if r.status == 0 {
						got = append(got, href)
					} else if strings.TrimSuffix(href, "/") != c.href || r.status != c.status {
						s.Errorf("%s has status %d", href, r.status)
					}
				}
				for name := range garden() {
					if strings.TrimSuffix(name, "/") != c.href && !slices.Contains(c.gone, name) {
						want = append(want, name)
					}
				}
				want = append(want, "/")
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					s.Errorf("shown are %q, want %q", got, want)
				}
			})
		})
	}
}

// faultyProps has properties and fails like its share.
type faultyProps struct {
	*share
	deadprops.Store
}

func (faultyProps) Any(context.Context, string) (bool, error) { return true, nil }

func (f faultyProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	for _, name := range query.Names {
		if err := f.before("readprops", name); err != nil {
			return nil, nil, err
		}
	}
	return f.Store.Read(ctx, query)
}

// cutShort lists a part of a collection and then fails.
type cutShort struct {
	storage.FS
	name string
}

type cutShortFile struct {
	webdav.File
	read bool
}

func (f cutShort) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (webdav.File, error) {
	file, err := f.FS.OpenFile(ctx, name, flag, perm)
	if err == nil && name == f.name {
		file = &cutShortFile{File: file}
	}
	return file, err
}

func (f *cutShortFile) Readdir(int) ([]fs.FileInfo, error) {
	if f.read {
		return nil, &fs.PathError{Op: "readdir", Path: "/secret/path", Err: syscall.EIO}
	}
	f.read = true
	return f.File.Readdir(1)
}

// TestPropfindCutShort checks that after an error in the middle of a collection the
// multi-status is well-formed, says that members are missing, and has no href twice
// (RFC 4918 §14.24).
func TestPropfindCutShort(t *testing.T) {
	logged := make(chan error, 1)
	s := serveMem(t, &dav.Handler{Logger: func(_ *http.Request, err error) { logged <- err }}, garden())
	s.h.FileSystem = cutShort{FS: s.fsys, name: "/c"}
	for _, body := range []string{askTwo, askAll} {
		m := s.multistatus(s.send("PROPFIND", "/", body, "Depth: infinity"))
		if !strings.Contains(m.description, "not complete") || !strings.HasSuffix(m.description, " /c/") {
			t.Errorf("the note is %q", m.description)
		}
		for _, href := range []string{"/", "/c/", "/f", "/old", "/o/m", "/o/only"} {
			if r, ok := m.responses[href]; !ok || r.status != 0 {
				t.Errorf("%s is %+v", href, r)
			}
		}
		if err := <-logged; !errors.Is(err, syscall.EIO) {
			t.Errorf("%v is logged", err)
		}
	}
	if a := s.send("PROPFIND", "/c/", askTwo, "Depth: 1"); a.status != 500 {
		t.Errorf("what was asked for can't be listed, and that is %d: %s", a.status, a.body)
	}
}

// TestPropfindCutShortStreamed checks that a response that has begun ends with a note.
func TestPropfindCutShortStreamed(t *testing.T) {
	l := layout{}
	for i := range 2000 {
		l[fmt.Sprintf("/d/%04d.txt", i)] = "x"
	}
	s := serveMem(t, &dav.Handler{}, l)
	s.h.FileSystem = brokenAfter{FS: s.fsys, name: "/d", members: 1900}
	a := s.send("PROPFIND", "/d", askAll, "Depth: 1")
	if m := s.multistatus(a); len(m.hrefs) != 1901 || m.description != "the listing is not complete" || !a.chunks {
		t.Errorf("%d responses, %q", len(m.hrefs), m.description)
	}
}

// brokenAfter fails after some members of a collection.
type brokenAfter struct {
	storage.FS
	name    string
	members int
}

func (f brokenAfter) List(ctx context.Context, name string) (storage.Listing, error) {
	return storagetest.Stream(f.readDir(ctx, name)), nil
}

func (f brokenAfter) readDir(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		left := f.members
		for info, err := range storage.ReadDir(ctx, f.FS, name) {
			if name == f.name && left == 0 {
				yield(nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.EIO})
				return
			}
			left--
			if !yield(info, err) {
				return
			}
		}
	}
}

// TestPropfindLinks checks that links in a loop are followed only so far, and that
// links out of the share are not listed.
func TestPropfindLinks(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveLocal(t, &dav.Handler{}, garden())
	for name, target := range map[string]string{
		"self": ".", "c/up": "..", "c/s/top": "../..", "c/file": "../f", "c/collection": "../o",
		"dangling": "nowhere", "ring1": "ring2", "ring2": "ring1", "out": outside, "c/out": "../../../../../../../../etc",
	} {
		if err := os.Symlink(target, filepath.Join(s.dir, name)); err != nil {
			t.Skip(err)
		}
	}
	m := s.multistatus(s.send("PROPFIND", "/", askTwo, "Depth: infinity"))
	for _, href := range []string{"/f", "/c/", "/c/file", "/c/collection/", "/c/collection/only", "/self/", "/c/up/", "/c/s/top/"} {
		if r, ok := m.responses[href]; !ok || r.status != 0 {
			t.Errorf("%s is not shown: %+v", href, r)
		}
	}
	for _, href := range m.hrefs {
		for _, hidden := range []string{"dangling", "ring", "out", "precious", "passwd", "self/", "up/", "top/"} {
			if strings.Contains(strings.TrimSuffix(href, "/"), hidden) {
				t.Errorf("%s is shown", href)
			}
		}
	}
	if got := m.responses["/c/file"].dav("getcontentlength").text; got != "4" {
		t.Errorf("the length of a link to a file is %q", got)
	}
}

// TestPropfindLinkedState checks that a listing shows the dead properties and the locks of a
// link's target, because they belong to the resource and not to a name.
func TestPropfindLinkedState(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	if err := os.Symlink("../f", filepath.Join(s.dir, "c", "file")); err != nil {
		t.Skip(err) // Windows allows links only to some users
	}
	s.patched("/f", `<D:set><D:prop><x:x>z</x:x></D:prop></D:set>`, xProp("x"))
	s.sends(200, "LOCK", "/f", lockBody)
	m := s.multistatus(s.send("PROPFIND", "/c/", askAll, "Depth: 1"))
	if x := m.responses["/c/file"].props[xProp("x")]; x.inner != "z" {
		t.Errorf("the dead property is %q", x.inner)
	}
	if locks := m.responses["/c/file"].dav("lockdiscovery"); !strings.Contains(locks.inner, "activelock") {
		t.Errorf("the locks are %q", locks.inner)
	}
}

// TestPropfindSmallPages checks that a listing is complete although pages are small
// because the held answers take much memory.
func TestPropfindSmallPages(t *testing.T) {
	l := layout{}
	for i := range 600 {
		l[fmt.Sprintf("/d/%0200d.txt", i)] = "x"
	}
	onBackends(t, l, func(s *share) {
		last := fmt.Sprintf("/d/%0200d.txt", 599)
		s.patched(last, `<D:set><D:prop><x:x>z</x:x></D:prop></D:set>`, xProp("x"))
		dav.FillHeldAnswers(s.h)
		m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity"))
		for name := range l.full() {
			if r, ok := m.responses[name]; !ok || r.dav("resourcetype").status != http.StatusOK {
				s.Errorf("%s is not shown", name)
			}
		}
		if want := len(l.full()) + 1; len(m.hrefs) != want {
			s.Errorf("%d responses, want %d", len(m.hrefs), want)
		}
		if x := m.responses[last].props[xProp("x")]; x.inner != "z" {
			s.Errorf("the dead property is %q", x.inner)
		}
	})
}

// TestPropfindLarge checks that a listing that is too large to hold is streamed
// completely.
func TestPropfindLarge(t *testing.T) {
	const members = 2000
	l := layout{}
	for i := range members {
		l[fmt.Sprintf("/d%d/%04d.txt", i%7, i)] = "x"
	}
	onBackends(t, l, func(s *share) {
		a := s.send("PROPFIND", "/", askAll, "Depth: infinity")
		if len(a.body) < 256<<10 {
			s.Fatalf("only %d bytes", len(a.body))
		}
		if !a.chunks {
			s.Error("it was not streamed")
		}
		m := s.multistatus(a)
		for name := range l.full() {
			if r, ok := m.responses[name]; !ok || r.status != 0 {
				s.Errorf("%s is not shown", name)
			}
		}
		if len(m.hrefs) != members+7+1 {
			s.Errorf("%d responses, want %d", len(m.hrefs), members+7+1)
		}
		small := s.send("PROPFIND", "/d0/0000.txt", askAll)
		if small.chunks || small.header.Get("Content-Length") != strconv.Itoa(len(small.body)) {
			s.Errorf("a small answer is in chunks, or %q is not its length", small.header.Get("Content-Length"))
		}
	})
}
