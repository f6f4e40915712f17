package dav

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	unicode16 "unicode/utf16"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/internal/status"
)

func TestReadPropfind(t *testing.T) {
	const head = `<?xml version="1.0" encoding="utf-8" ?>`
	names := func(local ...string) (list []xml.Name) {
		for _, l := range local {
			list = append(list, davxml.Name(l))
		}
		return list
	}
	for _, c := range []struct {
		name, body string
		want       davxml.Propfind
		status     int
	}{
		{name: "§9.1 no body", want: davxml.Propfind{Allprop: true}},
		{
			name: "§9.1.3 named properties", body: head + `<D:propfind xmlns:D="DAV:"><D:prop xmlns:R="http://ns.example.com/boxschema/"><R:bigbox/><R:author/><R:DingALing/><R:Random/></D:prop></D:propfind>`,
			want: davxml.Propfind{Props: []xml.Name{
				{Space: "http://ns.example.com/boxschema/", Local: "bigbox"},
				{Space: "http://ns.example.com/boxschema/", Local: "author"},
				{Space: "http://ns.example.com/boxschema/", Local: "DingALing"},
				{Space: "http://ns.example.com/boxschema/", Local: "Random"},
			}},
		},
		{name: "§9.1.4 propname", body: head + `<propfind xmlns="DAV:"><propname/></propfind>`, want: davxml.Propfind{Propname: true}},
		{name: "§9.1.5 allprop", body: head + `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`, want: davxml.Propfind{Allprop: true}},
		{
			name: "§9.1.6 allprop with include", body: head + `<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:supported-live-property-set/><D:supported-report-set/></D:include></D:propfind>`,
			want: davxml.Propfind{Allprop: true, Props: names("supported-live-property-set", "supported-report-set")},
		},
		{name: "include in front of allprop", body: `<propfind xmlns="DAV:"><include><a/></include><allprop/></propfind>`, want: davxml.Propfind{Allprop: true, Props: names("a")}},
		{name: "property without a namespace", body: `<D:propfind xmlns:D="DAV:"><D:prop><a/></D:prop></D:propfind>`, want: davxml.Propfind{Props: []xml.Name{{Local: "a"}}}},
		{name: "§14.18 empty prop", body: `<propfind xmlns="DAV:"><prop/></propfind>`},
		{name: "§17 unknown elements are ignored", body: `<propfind xmlns="DAV:"><new xmlns="x"><prop><a/></prop></new><prop><a/></prop><b xmlns="y"/></propfind>`, want: davxml.Propfind{Props: names("a")}},
		{name: "§17 unknown attributes are ignored", body: `<propfind xmlns="DAV:" a="b"><prop c="d"><a e="f"/></prop></propfind>`, want: davxml.Propfind{Props: names("a")}},
		{name: "§17 content of a property's name is ignored", body: `<propfind xmlns="DAV:"><prop><a>text<b/></a></prop></propfind>`, want: davxml.Propfind{Props: names("a")}},
		{name: "indented", body: "<propfind xmlns=\"DAV:\">\r\n\t<prop>\r\n\t\t<a/>\r\n\t</prop>\r\n</propfind>\r\n", want: davxml.Propfind{Props: names("a")}},

		{name: "white space", body: " \n", status: 400},
		{name: "only a declaration", body: head, status: 400},
		{name: "no XML", body: "propfind", status: 400},
		{name: "litmus propfind_invalid", body: `<foo>`, status: 400},
		{name: "litmus propfind_invalid2", body: `<D:propfind xmlns:D="DAV:"><D:prop><bar:foo xmlns:bar=""/></D:prop></D:propfind>`, status: 400},
		{name: "prefix that is not bound", body: `<D:propfind xmlns:D="DAV:"><D:prop><foo:bar/></D:prop></D:propfind>`, status: 400},
		{name: "does not end", body: `<propfind xmlns="DAV:"><allprop/>`, status: 400},
		{name: "wrong root", body: `<prop xmlns="DAV:"><allprop/></prop>`, status: 400},
		{name: "root of another namespace", body: `<propfind xmlns="dav:"><allprop/></propfind>`, status: 400},
		{name: "root without a namespace", body: `<propfind><allprop/></propfind>`, status: 400},
		{name: "§14.20 empty", body: `<propfind xmlns="DAV:"/>`, status: 400},
		{name: "§14.20 only an unknown element", body: `<propfind xmlns="DAV:"><expired-props/></propfind>`, status: 400},
		{name: "§14.20 two kinds", body: `<propfind xmlns="DAV:"><allprop/><propname/></propfind>`, status: 400},
		{name: "§14.20 prop twice", body: `<propfind xmlns="DAV:"><prop><a/></prop><prop><b/></prop></propfind>`, status: 400},
		{name: "§14.20 prop and allprop", body: `<propfind xmlns="DAV:"><prop><a/></prop><allprop/></propfind>`, status: 400},
		{name: "§14.8 include without allprop", body: `<propfind xmlns="DAV:"><include><a/></include></propfind>`, status: 400},
		{name: "§14.8 include with prop", body: `<propfind xmlns="DAV:"><prop><a/></prop><include><b/></include></propfind>`, status: 400},
		{name: "§14.8 include with propname", body: `<propfind xmlns="DAV:"><propname/><include><b/></include></propfind>`, status: 400},
		{name: "§14.8 empty include without allprop", body: `<propfind xmlns="DAV:"><propname/><include/></propfind>`, status: 400},
		{name: "trailing garbage", body: `<propfind xmlns="DAV:"><allprop/></propfind>garbage`, status: 400},
		{name: "trailing element", body: `<propfind xmlns="DAV:"><allprop/></propfind><a/>`, status: 400},
		{name: "§20.6 entity bomb", body: `<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><propfind xmlns="DAV:"><prop><a>&c;</a></prop></propfind>`, status: 400},
		{name: "processing instruction", body: `<?xml-stylesheet href="a"?><propfind xmlns="DAV:"><allprop/></propfind>`, status: 400},
		{name: "in UTF-16", body: utf16(binary.LittleEndian, "\ufeff"+`<?xml version="1.0" encoding="utf-16"?><propfind xmlns="DAV:"><propname/></propfind>`), want: davxml.Propfind{Propname: true}},
		{name: "one name a quarter of a million times", body: `<propfind xmlns="DAV:"><prop>` + strings.Repeat("<a/>", 250_000) + `</prop></propfind>`, want: davxml.Propfind{Props: names("a")}},
		{name: "as many properties as may be", body: `<propfind xmlns="DAV:"><prop>` + numbered(davxml.MaxProps) + `</prop></propfind>`, want: davxml.Propfind{Props: names(strings.Split(strings.Trim(numbered(davxml.MaxProps), "</>"), "/><")...)}},
		{name: "more properties", body: `<propfind xmlns="DAV:"><prop>` + numbered(davxml.MaxProps+1) + `</prop></propfind>`, status: 400},
		{name: "depth bomb", body: `<propfind xmlns="DAV:"><prop>` + strings.Repeat("<a>", 100_000), status: 400},
		{name: "UTF-16", body: "\xfe\xff\x00<\x00a\x00/\x00>", status: 400},
		{name: "other charset", body: `<?xml version="1.0" encoding="ISO-8859-15"?><propfind xmlns="DAV:"><allprop/></propfind>`, status: 415},
		{name: "largest body", body: `<propfind xmlns="DAV:"><allprop/></propfind>` + strings.Repeat(" ", defaultMaxXML-len(`<propfind xmlns="DAV:"><allprop/></propfind>`)), want: davxml.Propfind{Allprop: true}},
		{name: "larger body", body: `<propfind xmlns="DAV:"><allprop/></propfind>` + strings.Repeat(" ", defaultMaxXML), status: 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			query, err := readPropfind(new(Handler), &http.Request{Body: io.NopCloser(strings.NewReader(c.body))})
			var got davxml.Propfind
			if err == nil {
				got = query.Propfind
			}
			if status.Of(err) != c.status || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%.200q is\n%.500v, %v, status %d, want\n%.500v, status %d", c.body, got, err, status.Of(err), c.want, c.status)
			}
		})
	}
}

// numbered returns n elements with different names.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<p%d/>", i)
	}
	return b.String()
}

// TestXMLEndless checks that the server reads no more of an endless body than the
// limit, and uses no more memory, whatever the body contains.
func TestXMLEndless(t *testing.T) {
	const head = `<propfind xmlns="DAV:"><prop>`
	for _, c := range []struct {
		name, head, again string
		status            int
	}{
		{"names", head, "<a/>", 413},
		{"namespaces", head, `<a xmlns="abcdefghijklmnopqrstuvwxyz"/>`, 413},
		{"text", head, "text", 413},
		{"one name", head + "<", "a", 400},
		{"one attribute", head + `<a b="`, "c", 400},
		{"attributes", head + `<a `, `b="c" `, 400},
		{"depth", head, "<a>", 400},
		{"comment", head + "<!--", "a", 413},
		{"comments", head, "<!-- a -->", 413},
		{"white space in front", "", " ", 413},
		{"white space after", `<propfind xmlns="DAV:"><allprop/></propfind>`, "\n", 413},
		{"CDATA", head + "<![CDATA[", "a", 413},
		{"entities", "<!DOCTYPE a [", `<!ENTITY b "c">`, 413},
		{"UTF-16", "\xff\xfe", "<\x00", 400},
	} {
		for kind, read := range map[string]func(*http.Request) error{
			"propfind": func(r *http.Request) error {
				_, err := readPropfind(new(Handler), r)
				return err
			},
			"proppatch": func(r *http.Request) error {
				_, err := readProppatch(new(Handler), r)
				return err
			},
		} {
			t.Run(c.name+" "+kind, func(t *testing.T) {
				head := c.head
				if kind == "proppatch" {
					head = strings.NewReplacer("<propfind", "<propertyupdate", "<prop>", `<set><prop><value xmlns="">`, "</propfind>", "</propertyupdate>", "<allprop/>", "<set><prop><a/></prop></set>").Replace(head)
				}
				body := &endless{head: head, again: c.again}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := read(&http.Request{Body: body})
				runtime.ReadMemStats(&after)
				if status.Of(err) != c.status {
					t.Errorf("%v, status %d, want %d", err, status.Of(err), c.status)
				}
				if body.read > defaultMaxXML+8<<10 {
					t.Errorf("%d bytes were read", body.read)
				}
				// Garbage included; what is in use at a time is a part of it.
				if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
					t.Errorf("%d bytes were allocated", used)
				}
			})
		}
	}
}

// TestXMLContentLength checks that a body is refused before any of it is read if its
// headers say that it is too long or has an unsupported encoding.
func TestXMLContentLength(t *testing.T) {
	for _, c := range []struct {
		name   string
		length int64
		fields []string
		max    int64
		status int
	}{
		{"longest", defaultMaxXML, nil, 0, 400},
		{"longer", defaultMaxXML + 1, nil, 0, 413},
		{"longer than MaxXML", 101, nil, 100, 413},
		{"as long as MaxXML", 100, nil, 100, 400},
		{"RFC 9110 §15.5.16 compressed", 10, []string{"Content-Encoding", "gzip"}, 0, 415},
		{"not compressed", 10, []string{"Content-Encoding", "identity"}, 0, 400},
		{"RFC 7303 §3.2 other character set", 10, []string{"Content-Type", `text/xml; charset="iso-8859-1"`}, 0, 415},
		{"RFC 7303 §3.2 UTF-8", 10, []string{"Content-Type", `text/xml; charset="UTF-8"`}, 0, 400},
		{"no XML by its type", 10, []string{"Content-Type", "application/x-www-form-urlencoded"}, 0, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &endless{again: "x"}
			r := requestWith("PROPFIND", c.fields...)
			r.Body, r.ContentLength = body, c.length
			_, err := readPropfind(&Handler{MaxXML: c.max}, r)
			if status.Of(err) != c.status {
				t.Errorf("%v, status %d, want %d", err, status.Of(err), c.status)
			}
			if refused := c.status != 400; refused != (body.read == 0) {
				t.Errorf("%d bytes were read", body.read)
			}
		})
	}
}

// endless returns head and then repeats a text forever. It counts the bytes read.
type endless struct {
	head, again string
	left        string
	read        int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left == "" {
		e.left, e.head = e.head, ""
	}
	if e.left == "" {
		e.left = e.again
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	e.read += n
	return n, nil
}

func (e *endless) Close() error { return nil }

// TestXMLByCharset checks that the parameter charset decides the encoding of a body
// without a byte order mark (RFC 7303 §3.3, RFC 2781 §4), and the mark that of a body
// with one.
func TestXMLByCharset(t *testing.T) {
	const text = `<?xml version="1.0" encoding="utf-16"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
	encoded := func(order binary.ByteOrder, mark bool) string {
		var b []byte
		var unit [2]byte
		units := []rune(text)
		if mark {
			units = append([]rune{0xfeff}, units...)
		}
		for _, c := range units {
			order.PutUint16(unit[:], uint16(c))
			b = append(b, unit[:]...)
		}
		return string(b)
	}
	little, big := encoded(binary.LittleEndian, false), encoded(binary.BigEndian, false)
	for _, c := range []struct {
		name, charset, body string
		status              int
	}{
		{"little endian", "utf-16le", little, 0},
		{"in capitals", "UTF-16LE", little, 0},
		{"big endian", "utf-16be", big, 0},
		{"with a mark", "utf-16le", encoded(binary.LittleEndian, true), 0},
		{"RFC 7303 §3 the mark counts", "utf-16le", encoded(binary.BigEndian, true), 0},
		{"the other way around", "utf-16be", little, http.StatusBadRequest},
		{"RFC 7303 §3.3 utf-16 needs a mark", "utf-16", big, http.StatusBadRequest},
		{"nothing at all", "utf-16le", "", 0},
		{"one byte", "utf-16le", "<", http.StatusBadRequest},
		{"more than is known of it", "utf-16le", little + strings.Repeat(" \x00", listing.MaxKnownBody), 0},
		{"too long", "utf-16le", little + strings.Repeat(" \x00", defaultMaxXML), http.StatusRequestEntityTooLarge},
	} {
		r := requestWith("PROPFIND", "Content-Type", "text/xml; charset="+c.charset)
		r.Body = io.NopCloser(strings.NewReader(c.body))
		r.ContentLength = -1
		query, err := readPropfind(&Handler{}, r)
		switch {
		case status.Of(err) != c.status:
			t.Errorf("%s: %v, want %d", c.name, err, c.status)
		case err == nil && c.body != "" && !reflect.DeepEqual(query.Props, []xml.Name{davxml.Name("getetag")}):
			t.Errorf("%s: %v", c.name, query.Props)
		}
	}
}

// utf16 encodes s in the given byte order.
func utf16(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, unit := range unicode16.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// TestKnownPropfindsHeader: even for a known body, the encoding in the headers is
// checked (RFC 7303 §3.2, RFC 9110 §15.5.16).
func TestKnownPropfindsHeader(t *testing.T) {
	h := &Handler{}
	for _, tt := range []struct {
		field, value string
		status       int
	}{
		{"Content-Type", "application/xml", 0},
		{"Content-Type", `text/xml; charset="utf-8"`, 0},
		{"Content-Type", `text/xml; charset="iso-8859-1"`, http.StatusUnsupportedMediaType},
		{"Content-Encoding", "gzip", http.StatusUnsupportedMediaType},
	} {
		r := requestWith("PROPFIND", tt.field, tt.value)
		body := `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		_, err := readPropfind(h, r)
		if tt.status == 0 && err != nil || tt.status != 0 && status.Of(err) != tt.status {
			t.Errorf("%s: %s: %v", tt.field, tt.value, err)
		}
	}
}
