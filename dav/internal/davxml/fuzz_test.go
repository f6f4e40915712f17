package davxml

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// FuzzPropfindBody: if a body is accepted, its names can be
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
		request, err := ParsePropfind(bytes.NewReader(body))
		if err != nil {
			return
		}
		if request.Allprop && request.Propname {
			t.Fatalf("%+v", request)
		}
		written := writeMultistatus(t, func(m *Multistatus) {
			m.Open("", "/", true)
			m.OpenPropstat()
			for _, name := range request.Props {
				m.Property(webdav.Property{XMLName: name})
			}
			m.ClosePropstat(http.StatusNotFound)
			if err := m.End(); err != nil {
				t.Fatal(err)
			}
		})
		var names []xml.Name
		for _, p := range parseMultistatus(t, written).Responses[0].Propstats[0].Prop.Properties {
			names = append(names, p.XMLName)
		}
		if !slices.Equal(names, request.Props) {
			t.Fatalf("%q is written as %s", request.Props, written)
		}
	})
}

// FuzzProppatchBody: if a body is accepted, the properties that
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
		patches, err := ParseProppatch(bytes.NewReader(body))
		if err != nil {
			return
		}
		if len(patches) == 0 {
			t.Fatal("no instruction")
		}
		for _, patch := range patches {
			written := writeMultistatus(t, func(m *Multistatus) {
				m.Open("", "/", true)
				m.OpenPropstat()
				for _, p := range patch.Props {
					m.Property(p)
				}
				m.ClosePropstat(http.StatusOK)
				if err := m.End(); err != nil {
					t.Fatal(err)
				}
			})
			got := writtenProperties(t, NewReader(bytes.NewReader(written)))
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
func writtenProperties(t *testing.T, x *Reader) (properties []webdav.Property) {
	t.Helper()
	if _, err := x.Start(); err != nil {
		t.Fatal(err)
	}
	var descend func(e xml.StartElement) error
	descend = func(e xml.StartElement) (err error) {
		if e.Name == Name("prop") {
			properties, err = x.Properties(false, MaxProps)
			return err
		}
		return x.Children(descend)
	}
	if err := x.Children(descend); err != nil {
		t.Fatal(err)
	}
	return properties
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
		property := webdav.Property{XMLName: xml.Name{Space: space, Local: "x"}, Lang: lang, InnerXML: AppendText(nil, text)}
		body := writeMultistatus(t, func(m *Multistatus) {
			m.Open("/dav", name, true)
			m.OpenPropstat()
			m.Property(webdav.Property{XMLName: Name("displayname"), InnerXML: AppendText(nil, text)})
			m.Property(property)
			m.ClosePropstat(http.StatusOK)
			if err := m.End(); err != nil {
				t.Fatal(err)
			}
			if err := m.Failed("/dav/x", webdav.ErrLocked); err != nil {
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
		if got := storage.Clean(strings.TrimPrefix(u.Path, "/dav")); got != name {
			t.Fatalf("the href %q of %q leads to %q", m.Responses[0].Href, name, got)
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
	if err := (&Multistatus{w: &b}).Close(note); err != nil {
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
