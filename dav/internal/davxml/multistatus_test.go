package davxml

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"
)

// parsedMultistatus is a multistatus element (RFC 4918 §14.16) as encoding/xml parses
// it.
type parsedMultistatus struct {
	XMLName     xml.Name         `xml:"DAV: multistatus"`
	Responses   []parsedResponse `xml:"DAV: response"`
	Description string           `xml:"DAV: responsedescription"`
}

type parsedResponse struct {
	Href      string           `xml:"DAV: href"`
	Status    string           `xml:"DAV: status"`
	Propstats []parsedPropstat `xml:"DAV: propstat"`
}

type parsedPropstat struct {
	Status string `xml:"DAV: status"`
	Prop   struct {
		Properties []parsedProperty `xml:",any"`
	} `xml:"DAV: prop"`
}

type parsedProperty struct {
	XMLName xml.Name
	Lang    string           `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Text    string           `xml:",chardata"`
	Inner   []parsedProperty `xml:",any"`
}

func parseMultistatus(t *testing.T, body []byte) parsedMultistatus {
	t.Helper()
	var m parsedMultistatus
	if err := xml.Unmarshal(body, &m); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return m
}

// writeMultistatus returns a complete multistatus element with the content from write.
func writeMultistatus(t *testing.T, write func(m *Multistatus)) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`<D:multistatus xmlns:D="DAV:">`)
	m := &Multistatus{w: &b}
	write(m)
	if err := m.Close(""); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// XML 1.0 can't express these characters.
const forbiddenInXML = "\x00\x01\x08\x0b\x0c\x0e\x1f\ufffe\uffff"

func TestAppendText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "a b", "a b"},
		{"markup", `<a href="b">&amp;'</a>`, `<a href="b">&amp;'</a>`},
		{"]]>", "]]>", "]]>"},
		{"XML 1.0 §2.11 line ends", "a\r\nb\rc\nd", "a\r\nb\rc\nd"},
		{"tab", "a\tb", "a\tb"},
		{"not ASCII", "ä€\U0001F600\u0085\u2028", "ä€\U0001F600\u0085\u2028"},
		{"XML 1.0 §2.2 characters that are not allowed", forbiddenInXML, strings.Repeat("\ufffd", 9)},
		{"DEL is allowed", "\x7f", "\x7f"},
		{"invalid UTF-8", "a\xff\xc3b", "a\ufffd\ufffdb"},
		{"a surrogate in UTF-8", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, document := range []string{
				"<a>" + string(AppendText(nil, c.text)) + "</a>",
				`<a b="` + string(AppendText(nil, c.text)) + `"/>`,
			} {
				var got struct {
					Text string `xml:",chardata"`
					B    string `xml:"b,attr"`
				}
				if err := xml.Unmarshal([]byte(document), &got); err != nil {
					t.Fatalf("%q: %v", document, err)
				}
				if got.Text+got.B != c.want {
					t.Errorf("%q comes back as %q, want %q", document, got.Text+got.B, c.want)
				}
			}
		})
	}
}

func TestMultistatusProperty(t *testing.T) {
	for _, c := range []struct {
		name     string
		property webdav.Property
		text     string
		inner    []xml.Name
	}{
		{name: "RFC 4918 §4.3 of the namespace DAV:", property: webdav.Property{XMLName: Name("x"), InnerXML: []byte("text")}, text: "text"},
		{name: "RFC 4918 §4.4 of a namespace", property: webdav.Property{XMLName: xml.Name{Space: "urn:a", Local: "x"}, InnerXML: []byte("text")}, text: "text"},
		{name: "without a namespace", property: webdav.Property{XMLName: xml.Name{Local: "x"}, InnerXML: []byte("text")}, text: "text"},
		{name: "empty", property: webdav.Property{XMLName: xml.Name{Space: "urn:a", Local: "x"}}},
		{name: "RFC 4918 §4.3 xml:lang", property: webdav.Property{XMLName: xml.Name{Space: "urn:a", Local: "x"}, Lang: `e"n`, InnerXML: []byte("text")}, text: "text"},
		{name: "a namespace to escape", property: webdav.Property{XMLName: xml.Name{Space: `a"<&>'b`, Local: "x"}}},
		{name: "a namespace that is white space", property: webdav.Property{XMLName: xml.Name{Space: " \t\n", Local: "x"}}},
		{name: "a name that is not ASCII", property: webdav.Property{XMLName: xml.Name{Space: "urn:ä", Local: "größe"}}},
		{
			name:     "inner elements without a namespace",
			property: webdav.Property{XMLName: xml.Name{Space: "urn:a", Local: "x"}, InnerXML: []byte("<y/><z/>")},
			inner:    []xml.Name{{Local: "y"}, {Local: "z"}},
		},
		{
			name:     "inner elements with namespaces of their own",
			property: webdav.Property{XMLName: xml.Name{Space: "urn:a", Local: "x"}, InnerXML: []byte(`<y xmlns="urn:b"/><p:z xmlns:p="urn:c"/><D:w xmlns:D="urn:d"/>`)},
			inner:    []xml.Name{{Space: "urn:b", Local: "y"}, {Space: "urn:c", Local: "z"}, {Space: "urn:d", Local: "w"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := writeMultistatus(t, func(m *Multistatus) {
				m.Open("", "/a", false)
				m.OpenPropstat()
				m.Property(c.property)
				m.Property(webdav.Property{XMLName: xml.Name{Local: "after"}})
				m.ClosePropstat(http.StatusOK)
				if err := m.End(); err != nil {
					t.Fatal(err)
				}
			})
			properties := parseMultistatus(t, body).Responses[0].Propstats[0].Prop.Properties
			if len(properties) != 2 || properties[1].XMLName != (xml.Name{Local: "after"}) {
				t.Fatalf("%+v in %s", properties, body)
			}
			got := properties[0]
			if got.XMLName != c.property.XMLName || got.Lang != c.property.Lang || got.Text != c.text || len(got.Inner) != len(c.inner) {
				t.Errorf("%+v in %s", got, body)
			}
			for i := range min(len(got.Inner), len(c.inner)) {
				if got.Inner[i].XMLName != c.inner[i] {
					t.Errorf("%v, want %v", got.Inner[i].XMLName, c.inner[i])
				}
			}
		})
	}
}

func TestMultistatusResponses(t *testing.T) {
	body := writeMultistatus(t, func(m *Multistatus) {
		if err := m.Failed("/dav/c/%3C%26%22%3E/", webdav.ErrLocked); err != nil {
			t.Fatal(err)
		}
		if err := m.Failed("/dav/f", syscall.ENOSPC); err != nil {
			t.Fatal(err)
		}
	})
	got := parseMultistatus(t, body)
	want := []parsedResponse{
		{Href: "/dav/c/%3C%26%22%3E/", Status: "HTTP/1.1 423 Locked"},
		{Href: "/dav/f", Status: "HTTP/1.1 507 Insufficient Storage"},
	}
	for i := range want {
		if i >= len(got.Responses) || got.Responses[i].Href != want[i].Href || got.Responses[i].Status != want[i].Status {
			t.Fatalf("%+v, want %+v", got.Responses, want)
		}
	}
}

func TestMultistatusNote(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`<D:multistatus xmlns:D="DAV:">`)
	m := &Multistatus{w: &b}
	if err := m.Close("a <note> & more"); err != nil {
		t.Fatal(err)
	}
	if got := parseMultistatus(t, b.Bytes()); got.Description != "a <note> & more" {
		t.Errorf("%q", got.Description)
	}
}

// TestMultistatusWrites checks that white space is allowed between two calls of Write.
func TestMultistatusWrites(t *testing.T) {
	var b bytes.Buffer
	m := &Multistatus{w: writerFunc(func(p []byte) (int, error) {
		b.WriteString("\n\n")
		return b.Write(p)
	})}
	m.Buf = append(m.Buf, `<D:multistatus xmlns:D="DAV:">`...)
	if err := m.flush(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/a", "/b"} {
		m.Open("", name, false)
		m.OpenPropstat()
		m.Property(webdav.Property{XMLName: Name("displayname"), InnerXML: []byte(name)})
		m.Property(webdav.Property{XMLName: Name("getetag")})
		m.ClosePropstat(http.StatusOK)
		if err := m.End(); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close("note"); err != nil {
		t.Fatal(err)
	}
	responses := parseMultistatus(t, b.Bytes()).Responses
	if len(responses) != 2 {
		t.Fatal(b.String())
	}
	for i, name := range []string{"/a", "/b"} {
		p := responses[i].Propstats[0].Prop.Properties
		if responses[i].Href != name || len(p) != 2 || p[0].Text != name || p[1].Text != "" {
			t.Errorf("%+v", responses[i])
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
