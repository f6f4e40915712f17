package dav

import (
	"encoding/xml"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestReadPropfind(t *testing.T) {
	const head = `<?xml version="1.0" encoding="utf-8" ?>`
	names := func(local ...string) (list []xml.Name) {
		for _, l := range local {
			list = append(list, davName(l))
		}
		return list
	}
	for _, c := range []struct {
		name, body string
		want       propfindRequest
		status     int
	}{
		{name: "§9.1 no body", want: propfindRequest{allprop: true}},
		{
			name: "§9.1.3 named properties", body: head + `<D:propfind xmlns:D="DAV:"><D:prop xmlns:R="http://ns.example.com/boxschema/"><R:bigbox/><R:author/><R:DingALing/><R:Random/></D:prop></D:propfind>`,
			want: propfindRequest{props: []xml.Name{
				{Space: "http://ns.example.com/boxschema/", Local: "bigbox"},
				{Space: "http://ns.example.com/boxschema/", Local: "author"},
				{Space: "http://ns.example.com/boxschema/", Local: "DingALing"},
				{Space: "http://ns.example.com/boxschema/", Local: "Random"},
			}},
		},
		{name: "§9.1.4 propname", body: head + `<propfind xmlns="DAV:"><propname/></propfind>`, want: propfindRequest{propname: true}},
		{name: "§9.1.5 allprop", body: head + `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`, want: propfindRequest{allprop: true}},
		{
			name: "§9.1.6 allprop with include", body: head + `<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:supported-live-property-set/><D:supported-report-set/></D:include></D:propfind>`,
			want: propfindRequest{allprop: true, props: names("supported-live-property-set", "supported-report-set")},
		},
		{name: "include in front of allprop", body: `<propfind xmlns="DAV:"><include><a/></include><allprop/></propfind>`, want: propfindRequest{allprop: true, props: names("a")}},
		{name: "property without a namespace", body: `<D:propfind xmlns:D="DAV:"><D:prop><a/></D:prop></D:propfind>`, want: propfindRequest{props: []xml.Name{{Local: "a"}}}},
		{name: "§14.18 empty prop", body: `<propfind xmlns="DAV:"><prop/></propfind>`},
		{name: "§17 unknown elements are ignored", body: `<propfind xmlns="DAV:"><new xmlns="x"><prop><a/></prop></new><prop><a/></prop><b xmlns="y"/></propfind>`, want: propfindRequest{props: names("a")}},
		{name: "§17 unknown attributes are ignored", body: `<propfind xmlns="DAV:" a="b"><prop c="d"><a e="f"/></prop></propfind>`, want: propfindRequest{props: names("a")}},
		{name: "§17 content of a property's name is ignored", body: `<propfind xmlns="DAV:"><prop><a>text<b/></a></prop></propfind>`, want: propfindRequest{props: names("a")}},
		{name: "indented", body: "<propfind xmlns=\"DAV:\">\r\n\t<prop>\r\n\t\t<a/>\r\n\t</prop>\r\n</propfind>\r\n", want: propfindRequest{props: names("a")}},

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
		{name: "depth bomb", body: `<propfind xmlns="DAV:"><prop>` + strings.Repeat("<a>", 100_000), status: 400},
		{name: "UTF-16", body: "\xfe\xff\x00<\x00a\x00/\x00>", status: 400},
		{name: "other charset", body: `<?xml version="1.0" encoding="ISO-8859-15"?><propfind xmlns="DAV:"><allprop/></propfind>`, status: 400},
		{name: "largest body", body: `<propfind xmlns="DAV:"><allprop/></propfind>` + strings.Repeat(" ", maxXMLBody-len(`<propfind xmlns="DAV:"><allprop/></propfind>`)), want: propfindRequest{allprop: true}},
		{name: "larger body", body: `<propfind xmlns="DAV:"><allprop/></propfind>` + strings.Repeat(" ", maxXMLBody), status: 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readPropfind(nil, &http.Request{Body: io.NopCloser(strings.NewReader(c.body))})
			if statusOf(err) != c.status || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%.200q is\n%+v, %v, status %d, want\n%+v, status %d", c.body, got, err, statusOf(err), c.want, c.status)
			}
		})
	}
}

// endless repeats something after a head, and counts what was read of it.
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

// TestReadPropfindEndless: of a body that does not end no more is read than
// the bound, whatever it consists of.
func TestReadPropfindEndless(t *testing.T) {
	const head = `<propfind xmlns="DAV:"><prop>`
	for _, c := range []struct{ name, head, again string }{
		{"names", head, "<a/>"},
		{"namespaces", head, `<a xmlns="abcdefghijklmnopqrstuvwxyz"/>`},
		{"text", head, "text"},
		{"one name", head + "<", "a"},
		{"one attribute", head + `<a b="`, "c"},
		{"attributes", head + `<a `, `b="c" `},
		{"comment", head + "<!--", "a"},
		{"comments", head, "<!-- a -->"},
		{"white space in front", "", " "},
		{"white space after", `<propfind xmlns="DAV:"><allprop/></propfind>`, "\n"},
		{"CDATA", head + "<![CDATA[", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &endless{head: c.head, again: c.again}
			_, err := readPropfind(nil, &http.Request{Body: body})
			if statusOf(err) != http.StatusRequestEntityTooLarge {
				t.Errorf("%v, status %d, want 413", err, statusOf(err))
			}
			if body.read > maxXMLBody+8<<10 {
				t.Errorf("%d bytes were read", body.read)
			}
		})
	}
}
