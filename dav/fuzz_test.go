package dav

import (
	"bytes"
	"encoding/xml"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// FuzzDestination: a Destination yields a clean name that is not reserved, or is
// refused with a matching status. The href of the name yields the same name.
func FuzzDestination(f *testing.F) {
	for _, destination := range []string{"/a", "http://davd.test/dav/a%20b/", "/dav/../%2e%2e/x", "/dav/%2Edavd-x", "//davd.test/a", "http://[::1]:80/", "a:b", "/dav/%00"} {
		for _, prefix := range []string{"", "/dav/"} {
			f.Add(destination, prefix, "davd.test")
		}
	}
	f.Fuzz(func(t *testing.T, destination, prefix, host string) {
		if strings.Contains(prefix, "\x00") {
			return
		}
		h := &Handler{Prefix: prefix, FileSystem: webdav.NewMemFS()}
		r := &http.Request{Host: host, Header: http.Header{"Destination": {destination}}}
		name, err := h.destination(r)
		if err != nil {
			switch status.Of(err) {
			case http.StatusBadRequest, http.StatusForbidden, http.StatusBadGateway:
			default:
				t.Fatalf("status %d: %v", status.Of(err), err)
			}
			return
		}
		if name != storage.Clean(name) || storage.Reserved(name) || strings.Contains(name, "\x00") {
			t.Fatalf("%q leads to %q", destination, name)
		}
		u, err := url.Parse(destination)
		if err != nil {
			t.Fatal(err)
		}
		if clean := path.Clean("/" + u.Path); clean != path.Clean(h.prefix()+name) {
			t.Fatalf("%q with the prefix %q leads to %q", destination, prefix, name)
		}
		checkHref(t, h, name)
	})
}

// FuzzPropfindBody: a body is accepted or refused with a 4xx, and its names can be
// written.
func FuzzPropfindBody(f *testing.F) {
	for _, s := range []string{
		`<propfind xmlns="DAV:"><allprop/><include><a/></include></propfind>`,
		`<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><x:y xmlns:x="urn:x"/><z/></D:prop></D:propfind>`,
		`<?xml version="1.0"?><propfind xmlns="DAV:"><propname/></propfind>`,
		`<!DOCTYPE a>`, `<propfind xmlns="DAV:"><prop><:a/></prop></propfind>`, "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := new(Handler).readPropfind(nil, parsedRequest(nil, &http.Request{Body: io.NopCloser(bytes.NewReader(body))}))
		if err != nil {
			switch s := status.Of(err); s {
			case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
			default:
				t.Fatalf("status %d: %v", s, err)
			}
			return
		}
		if request.allprop && request.propname {
			t.Fatalf("%+v", request)
		}
		written := writeMultistatus(t, func(m *multistatus) {
			m.open("", "/", true)
			m.openPropstat()
			for _, name := range request.props {
				m.property(webdav.Property{XMLName: name})
			}
			m.closePropstat(http.StatusNotFound)
			if err := m.end(); err != nil {
				t.Fatal(err)
			}
		})
		var names []xml.Name
		for _, p := range parseMultistatus(t, written).Responses[0].Propstats[0].Prop.Properties {
			names = append(names, p.XMLName)
		}
		if !slices.Equal(names, request.props) {
			t.Fatalf("%q is written as %s", request.props, written)
		}
	})
}

// FuzzProppatchBody: a body is accepted or refused with a 4xx, and the properties that
// it sets can be written and then mean the same.
func FuzzProppatchBody(f *testing.F) {
	for _, s := range []string{
		`<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x"><D:set xml:lang="de"><D:prop><x:a>1<x:b c='d'/></x:a></D:prop></D:set><D:remove><D:prop><x:a/></D:prop></D:remove></D:propertyupdate>`,
		`<propertyupdate xmlns="DAV:"><set><prop><a xmlns="">&lt;<![CDATA[<]]></a><displayname>x</displayname></prop></set></propertyupdate>`,
		"\xff\xfe<\x00a\x00/\x00>\x00", `<!DOCTYPE a>`, `<propertyupdate xmlns="DAV:"><set/></propertyupdate>`, "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		patches, err := new(Handler).readProppatch(nil, parsedRequest(nil, &http.Request{Body: io.NopCloser(bytes.NewReader(body))}))
		if err != nil {
			switch s := status.Of(err); s {
			case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
			default:
				t.Fatalf("status %d: %v", s, err)
			}
			return
		}
		if len(patches) == 0 {
			t.Fatal("no instruction")
		}
		for _, patch := range patches {
			written := writeMultistatus(t, func(m *multistatus) {
				m.open("", "/", true)
				m.openPropstat()
				for _, p := range patch.Props {
					m.property(p)
				}
				m.closePropstat(http.StatusOK)
				if err := m.end(); err != nil {
					t.Fatal(err)
				}
			})
			got := writtenProperties(t, newXMLReader(bytes.NewReader(written)))
			if len(got) != len(patch.Props) {
				t.Fatalf("%d properties, want %d, in %s", len(got), len(patch.Props), written)
			}
			for i, want := range patch.Props {
				if got[i].XMLName != want.XMLName || got[i].Lang != want.Lang || !bytes.Equal(got[i].InnerXML, want.InnerXML) {
					t.Fatalf("%q comes back as %q in %s", want, got[i], written)
				}
			}
		}
	})
}

// writtenProperties returns the properties in a multistatus with one propstat.
func writtenProperties(t *testing.T, x *xmlReader) (properties []webdav.Property) {
	t.Helper()
	if _, err := x.start(); err != nil {
		t.Fatal(err)
	}
	var descend func(e xml.StartElement) error
	descend = func(e xml.StartElement) (err error) {
		if e.Name == davName("prop") {
			properties, err = x.properties(false, maxXMLProps)
			return err
		}
		return x.children(descend)
	}
	if err := x.children(descend); err != nil {
		t.Fatal(err)
	}
	return properties
}

// FuzzInterimHeader: with any names and numbers, there is one Progress, in ASCII, and
// an interim response is shorter than 1 KiB.
func FuzzInterimHeader(f *testing.F) {
	f.Add("/a", "b c", int64(1), int64(2), int64(3), int64(4), "davd.test", uint8(3))
	f.Add("/", strings.Repeat("ä", 130), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), "[::1]:8080", uint8(64))
	f.Add("/a", "\"\\\r\n)", int64(0), int64(0), int64(0), int64(0), strings.Repeat("x", 900), uint8(64))
	f.Fuzz(func(t *testing.T, root, member string, done, known, bytes, knownBytes int64, host string, outcomes uint8) {
		root = storage.Clean(root)
		current := storage.Clean(root + "/" + member)
		if current != root && !strings.HasPrefix(current, strings.TrimSuffix(root, "/")+"/") {
			return // .. in member
		}
		progress := tree.Progress{
			Done: max(done, 0), Known: max(known, 0), Bytes: max(bytes, 0), KnownBytes: max(knownBytes, 0), Final: true, Current: current,
		}
		monitor := new(tree.Monitor)
		taken := monitor.Subscribe()
		for i := range outcomes {
			var err error
			if i%2 == 0 {
				err = fs.ErrPermission
			}
			monitor.Resolve(current, err)
		}
		h := &Handler{FileSystem: webdav.NewMemFS()}
		e := &emitter{
			config: &h.Interim, grant: grant{asked: true, limit: unlimited}, monitor: monitor, outcomes: taken, root: root,
			success: http.StatusCreated, url: h.absoluteURL(&http.Request{Host: host}),
		}
		header := e.header(progress)
		value := header.Get("Progress")
		if !progressABNF.MatchString(value) {
			t.Fatalf("%q is not a Progress", value)
		}
		if size := interimOverhead + headerSize(header); size >= 1024 {
			t.Fatalf("%d bytes in %q", size, header)
		}
		if uris := header["Status-URI"]; len(uris) > 0 && isASCII(host) {
			if !isASCII(uris[0]) {
				t.Fatalf("Status-URI is %q", uris[0])
			}
			if outcomes > 1 && !strings.HasPrefix(uris[0], "403 <") {
				t.Fatalf("a failure is not first in %q", uris[0])
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// FuzzMultistatus: with any names and texts, a multistatus is well-formed, and contains
// them as far as XML can represent them.
func FuzzMultistatus(f *testing.F) {
	f.Add("/a b", "text", "urn:x", "en", "note")
	f.Add("/<&>\"'\xff\n", forbiddenInXML, "<&>\"'\t", "\"", "\xed\xa0\x80")
	f.Add("/", "]]>", "", "", "")
	f.Fuzz(func(t *testing.T, name, text, space, lang, note string) {
		if name = storage.Clean(name); strings.Contains(name, "\x00") {
			return
		}
		switch space {
		case xmlNamespace, xmlnsNamespace, "xmlns":
			return
		}
		property := webdav.Property{XMLName: xml.Name{Space: space, Local: "x"}, Lang: lang, InnerXML: appendText(nil, text)}
		body := writeMultistatus(t, func(m *multistatus) {
			m.open("/dav", name, true)
			m.openPropstat()
			m.property(webdav.Property{XMLName: davName("displayname"), InnerXML: appendText(nil, text)})
			m.property(property)
			m.closePropstat(http.StatusOK)
			if err := m.end(); err != nil {
				t.Fatal(err)
			}
			if err := m.failed((&Handler{Prefix: "/dav"}).href(name, false), webdav.ErrLocked); err != nil {
				t.Fatal(err)
			}
		})
		m := parseMultistatus(t, body)
		if len(m.Responses) != 2 || len(m.Responses[0].Propstats) != 1 {
			t.Fatalf("%s", body)
		}
		u, err := url.Parse(m.Responses[0].Href)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (&Handler{Prefix: "/dav"}).name(u.Path); got != name || err != nil {
			t.Fatalf("the href %q of %q leads to %q, %v", m.Responses[0].Href, name, got, err)
		}
		properties := m.Responses[0].Propstats[0].Prop.Properties
		if len(properties) != 2 {
			t.Fatalf("%s", body)
		}
		want := xmlText(text)
		if properties[0].Text != want || properties[1].Text != want {
			t.Fatalf("%q comes back as %q in %s", text, properties[0].Text, body)
		}
		if properties[1].XMLName.Space != xmlText(space) || properties[1].Lang != xmlText(lang) {
			t.Fatalf("%q and %q come back as %q and %q in %s", space, lang, properties[1].XMLName.Space, properties[1].Lang, body)
		}
		checkNote(t, note)
	})
}

func checkNote(t *testing.T, note string) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`<D:multistatus xmlns:D="DAV:">`)
	if err := (&multistatus{w: &b}).close(note); err != nil {
		t.Fatal(err)
	}
	if got := parseMultistatus(t, b.Bytes()).Description; got != xmlText(note) {
		t.Fatalf("%q comes back as %q", note, got)
	}
}

// xmlText returns the part of s that XML can represent.
func xmlText(s string) string {
	var b strings.Builder
	for _, c := range s { // invalid UTF-8 yields U+FFFD
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
			c = utf8.RuneError
		}
		b.WriteRune(c)
	}
	return b.String()
}
