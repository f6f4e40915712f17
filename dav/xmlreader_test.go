package dav

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func readerOf(s string) *xmlReader {
	return &xmlReader{decoder: xml.NewDecoder(strings.NewReader(s))}
}

// readAll reads one element with all that is in it, and what comes after.
func (x *xmlReader) readAll() error {
	if _, err := x.start(); err != nil {
		return err
	}
	if err := x.skip(); err != nil {
		return err
	}
	return x.end()
}

func TestXMLReader(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	for _, c := range []struct {
		name, body string
		bad        bool
	}{
		{"element", `<a/>`, false},
		{"declaration", `<?xml version="1.0" encoding="UTF-8"?><a/>`, false},
		{"declaration in lower case", `<?xml version="1.0" encoding="utf-8" standalone="yes"?><a/>`, false},
		{"XML 1.0 §F byte order mark", "\ufeff" + `<?xml version="1.0"?><a/>`, false},
		{"byte order mark without declaration", "\ufeff<a/>", false},
		{"XML 1.0 §2.1 comments and white space around", " \n<!-- a -->\n<a/>\n<!-- b -->\n", false},
		{"text in elements", `<a>x<b>y</b>&lt;&#65;<![CDATA[<c>]]></a>`, false},
		{"XML 1.0 §2.4 text in front", `x<a/>`, true},
		{"text after", `<a/>x`, true},
		{"a byte order mark after", "<a/>\ufeff", true},
		{"second root", `<a/><b/>`, true},
		{"document type", `<!DOCTYPE a><a/>`, true},
		{"document type with entities", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, true},
		{"RFC 4918 §20.6 external entity", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, true},
		{"entity without a declaration", `<a>&b;</a>`, true},
		{"directive in an element", `<a><!ELEMENT b ANY></a>`, true},
		{"processing instruction in front", `<?php echo 1 ?><a/>`, true},
		{"processing instruction in an element", `<a><?b c?></a>`, true},
		{"processing instruction after", `<a/><?b c?>`, true},
		{"deepest", nested(maxXMLDepth), false},
		{"deeper", nested(maxXMLDepth + 1), true},
		{"many side by side", "<a>" + strings.Repeat("<b/>", 1000) + "</a>", false},
		{"Namespaces §5 prefix bound to nothing", `<a><b:c xmlns:b=""/></a>`, true},
		{"Namespaces §5 prefix bound to nothing and not used", `<a xmlns:b=""/>`, true},
		{"Namespaces §6.2 default bound to nothing", `<a xmlns="x"><b xmlns=""/></a>`, false},
		{"Namespaces §3 xmlns bound", `<a xmlns:xmlns="x"/>`, true},
		{"Namespaces §3 prefix bound to the one of xmlns", `<b:a xmlns:b="http://www.w3.org/2000/xmlns/"/>`, true},
		{"Namespaces §3 default bound to the one of xmlns", `<a xmlns="http://www.w3.org/2000/xmlns/"/>`, true},
		{"Namespaces §3 prefix bound to the one of xml", `<b:a xmlns:b="http://www.w3.org/XML/1998/namespace"/>`, true},
		{"Namespaces §3 default bound to the one of xml", `<a xmlns="http://www.w3.org/XML/1998/namespace"/>`, true},
		{"Namespaces §3 xml bound to its own", `<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`, false},
		{"Namespaces §3 xml bound to another", `<a xmlns:xml="x"/>`, true},
		{"Namespaces §3 the prefix xml in an element", `<xml:a/>`, true},
		{"Namespaces §5 prefix that is not bound", `<a:b/>`, true},
		{"Namespaces §5 prefix that is no longer bound", `<a><b:c xmlns:b="x"/><b:d/></a>`, true},
		{"Namespaces §5 prefix bound further out", `<a xmlns:b="x"><c><b:d b:e="f"/></c></a>`, false},
		{"Namespaces §5 prefix of an attribute that is not bound", `<a b:c="d"/>`, true},
		{"Namespaces §5 prefix that is bound after its use in the same tag", `<b:a b:c="d" xmlns:b="x"/>`, false},
		{"xml:lang", `<a xml:lang="en"/>`, false},
		{"Namespaces §4 two colons", `<a:b:c xmlns:a="x"/>`, true},
		{"Namespaces §4 colon in front", `<:a xmlns="x"/>`, true},
		{"Namespaces §4 colon at the end", `<a: xmlns="x"/>`, true},
		{"does not end", `<a><b></b>`, true},
		{"ends in a tag", `<a`, true},
		{"crossed", `<a><b></a></b>`, true},
		{"end without a start", `</a>`, true},
		{"attribute without quotes", `<a b=c/>`, true},
		{"control character", "<a>\x01</a>", true},
		{"invalid UTF-8", "<a>\xff</a>", true},
		{"other charset", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, true},
		{"UTF-16 in name only", `<?xml version="1.0" encoding="UTF-16"?><a/>`, true},
		{"UTF-16", "\xff\xfe<\x00a\x00/\x00>\x00", true},
		{"XML 1.1", `<?xml version="1.1"?><a/>`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := readerOf(c.body).readAll(); (err != nil) != c.bad {
				t.Errorf("%q: %v", c.body, err)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		if _, err := readerOf("").start(); !errors.Is(err, io.EOF) {
			t.Errorf("%v, want EOF", err)
		}
	})
}

// TestXMLReaderChildren: only direct children are told, each to its end.
func TestXMLReaderChildren(t *testing.T) {
	x := readerOf(`<a>text<b><c/></b><!-- --><D:d xmlns:D="DAV:"><e><f/></e></D:d></a>`)
	if _, err := x.start(); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := x.children(func(e xml.StartElement) error {
		names = append(names, e.Name.Space+e.Name.Local)
		return x.skip()
	})
	if err != nil || strings.Join(names, " ") != "b DAV:d" {
		t.Errorf("children %q, %v", names, err)
	}
	if err := x.end(); err != nil {
		t.Error(err)
	}
	stop := errors.New("stop")
	x = readerOf(`<a><b/><c/></a>`)
	if _, err := x.start(); err != nil {
		t.Fatal(err)
	}
	if err := x.children(func(xml.StartElement) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v, want the child's error", err)
	}
}
