package davxml

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	unicode "unicode/utf16"
)

// utf16 encodes s in the given byte order.
func utf16(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, unit := range unicode.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// attributes returns n attributes.
func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

func readerOf(s string) *Reader {
	return NewReader(strings.NewReader(s))
}

// readAll reads one element with its content, and everything after it.
func (x *Reader) readAll() error {
	if _, err := x.Start(); err != nil {
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
		{"XML 1.0 §4.3.3 UTF-16, little end first", utf16(binary.LittleEndian, "\ufeff<a/>"), false},
		{"XML 1.0 §4.3.3 UTF-16, big end first", utf16(binary.BigEndian, "\ufeff<a b='\U0001F600'/>"), false},
		{"UTF-16 with a declaration", utf16(binary.LittleEndian, "\ufeff"+`<?xml version="1.0" encoding="UTF-16"?><a/>`), false},
		{"XML 1.0 §4.3.3 UTF-16 without a byte order mark", utf16(binary.LittleEndian, `<a/>`), true},
		{"US-ASCII", `<?xml version="1.0" encoding="us-ascii"?><a/>`, false},
		{"XML 1.0 §2.8 declaration after a comment", `<!-- --><?xml version="1.0"?><a/>`, true},
		{"XML 1.0 §2.8 declaration in an element", `<a><?xml version="1.0"?></a>`, true},
		{"XML 1.0 §3.1 attribute twice", `<a b="c" b="d"/>`, true},
		{"XML 1.0 §3.1 prefix declared twice", `<a xmlns:b="c" xmlns:b="d"/>`, true},
		{"Namespaces §6.3 attribute twice by two prefixes", `<a xmlns:b="x" xmlns:c="x" b:d="" c:d=""/>`, true},
		{"Namespaces §6.3 the default namespace is not that of attributes", `<a xmlns:b="x" xmlns="x" b:d="" d=""/>`, false},
		{"Namespaces §5 prefix that is the name of a namespace", `<a xmlns:c="b"><b:d/></a>`, true},
		{"Namespaces §5 end tag with another prefix", `<a xmlns:b="x" xmlns:c="x"><b:d></c:d></a>`, true},
		{"Namespaces §4 local part that begins with a digit", `<b:1 xmlns:b="x"/>`, true},
		{"Namespaces §4 local part that begins with a combining character", "<b:\u0301 xmlns:b='x'/>", true},
		{"Namespaces §4 local part that is not ASCII", "<b:größe xmlns:b='x'/>", false},
		{"Namespaces §4 prefix that begins with a hyphen", `<a xmlns:-b="x"/>`, true},
		{"as many attributes as may be", "<a" + attributes(maxXMLAttributes) + "/>", false},
		{"more attributes", "<a" + attributes(maxXMLAttributes+1) + "/>", true},
		{"a million attributes", "<a" + strings.Repeat(` b="c"`, 1_000_000) + "/>", true},
		{"longest name", "<" + strings.Repeat("a", maxXMLName) + "/>", false},
		{"longer name", "<" + strings.Repeat("a", maxXMLName+1) + "/>", true},
		{"longer namespace", `<a xmlns="` + strings.Repeat("a", maxXMLName+1) + `"/>`, true},
		{"longer language", `<a xml:lang="` + strings.Repeat("a", maxXMLName+1) + `"/>`, true},
		{"longest tag", `<a b="` + strings.Repeat("a", maxXMLTag-len(`<a b=""/>`)) + `"/>`, false},
		{"longer tag", `<a b="` + strings.Repeat("a", maxXMLTag-len(`<a b=""/>`)+1) + `"/>`, true},
		{"longer tag after text", `<a>text<b c="` + strings.Repeat("a", maxXMLTag) + `"/></a>`, true},
		{"text longer than a tag may be", `<a>` + strings.Repeat("a", 2*maxXMLTag) + `</a>`, false},
		{"comment and CDATA longer than a tag may be", `<a><!--` + strings.Repeat("a", 2*maxXMLTag) + `--><![CDATA[` + strings.Repeat("a", 2*maxXMLTag) + `]]></a>`, false},
		{"XML 1.1", `<?xml version="1.1"?><a/>`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := readerOf(c.body).readAll(); (err != nil) != c.bad {
				t.Errorf("%q: %v", c.body, err)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		if _, err := readerOf("").Start(); !errors.Is(err, io.EOF) {
			t.Errorf("%v, want EOF", err)
		}
	})
}

// TestXMLReaderChildren checks that children calls its function only for direct
// children, each to its end.
func TestXMLReaderChildren(t *testing.T) {
	x := readerOf(`<a>text<b><c/></b><!-- --><D:d xmlns:D="DAV:"><e><f/></e></D:d></a>`)
	if _, err := x.Start(); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := x.Children(func(e xml.StartElement) error {
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
	if _, err := x.Start(); err != nil {
		t.Fatal(err)
	}
	if err := x.Children(func(xml.StartElement) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v, want the child's error", err)
	}
}
