package davxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// contentOf returns the result of content for the second element of document.
func contentOf(document string) (content, lang string, err error) {
	x := NewReader(strings.NewReader(document))
	if _, err := x.Start(); err != nil {
		return "", "", err
	}
	first := true
	err = x.Children(func(xml.StartElement) (err error) {
		if !first {
			return x.skip()
		}
		first, lang = false, x.lang()
		content, err = x.content()
		return err
	})
	if err == nil {
		err = x.end()
	}
	return content, lang, err
}

// asWritten is content that must come back byte for byte.
var asWritten = []struct{ name, content string }{
	{"empty", ""},
	{"text", "text"},
	{"white space", " \t\n  "},
	{"white space around elements", "\n  <b/>\n  <c> </c>\n"},
	{"XML 1.0 §2.11 line ends", "a\r\nb\rc\nd"},
	{"XML 1.0 §4.1 character references", "&#228;&#xe4;&#x1F600;&#10;&#13;"},
	{"XML 1.0 §4.6 predefined entities", "&lt;&gt;&amp;&quot;&apos;"},
	{"XML 1.0 §2.7 CDATA", "<![CDATA[<b>&amp;</b>]]>"},
	{"XML 1.0 §2.7 CDATA beside text", "a<![CDATA[]] >]]>b"},
	{"XML 1.0 §2.5 comment", "a<!-- <b> & c -->d"},
	{"comment in front of an element", "<!-- <c> --><b/>"},
	{"not ASCII", "ä€\U0001F600\u0085\u2028"},
	{"RFC 4918 §4.3 mixed content", "a<b>c<d/>e</b>f"},
	{"both ways of an empty element", "<b/><b></b><b /><b ></b >"},
	{"RFC 4918 §4.3 attributes in their order, with their quotes", `<b z="1" a='2"' m = "3'"/>`},
	{"attributes with references and white space", "<b\n\tc=\"&lt;&#10;>\"\r\n d='&quot;'\n/>"},
	{"RFC 4918 §4.3 xml:lang and xml:space", `<b xml:lang="de" xml:space="preserve"> </b>`},
	{"RFC 4918 §4.3 prefixes of its own", `<p:b xmlns:p="urn:p" p:c=""><p:d/></p:b>`},
	{"default namespace of its own", `<b xmlns="urn:b"><c xmlns=""/></b>`},
	{"Namespaces §6.1 prefix that means something else further in", `<p:b xmlns:p="urn:p"><p:c xmlns:p="urn:q"/><p:d/></p:b>`},
	{"the prefixes of the response", `<D:b xmlns:D="urn:d"><p:c xmlns:p="urn:c"/></D:b>`},
	{"an element of the same name", "<value><value/></value>"},
	{"what looks like markup in an attribute", `<b c="/>" d="xmlns:e='f'"/>`},
	{"a name as a value", `<b c="p:d"/>`},
}

func TestContentAsWritten(t *testing.T) {
	for _, c := range asWritten {
		t.Run(c.name, func(t *testing.T) {
			for _, document := range []string{
				"<a><value>" + c.content + "</value></a>",
				"\ufeff" + `<?xml version="1.0"?><!-- --> <a>text<value >` + c.content + "</value\n>text<after/></a>",
				`<a xmlns:unused="urn:u"><x:value xmlns:x="urn:x" x:y="z">` + c.content + "</x:value></a>",
			} {
				got, _, err := contentOf(document)
				if err != nil || got != c.content {
					t.Errorf("%q is %q, %v", document, got, err)
				}
			}
		})
	}
}

// TestContentNamespaces checks that outer namespaces are declared again where the
// content uses them.
func TestContentNamespaces(t *testing.T) {
	const outer = ` xmlns:p="urn:p" xmlns:q="urn:q&amp;&quot;" xmlns:xml="http://www.w3.org/XML/1998/namespace"`
	for _, c := range []struct{ name, content, want string }{
		{"element", `<p:b/>`, `<p:b xmlns:p="urn:p"/>`},
		{"its end tag", `<p:b >text</p:b>`, `<p:b xmlns:p="urn:p" >text</p:b>`},
		{"attribute", `<b p:c="d"/>`, `<b xmlns:p="urn:p" p:c="d"/>`},
		{"further in", `<b><c><p:d/></c></b>`, `<b xmlns:p="urn:p"><c><p:d/></c></b>`},
		{"twice", `<p:b><p:c p:d=""/></p:b>`, `<p:b xmlns:p="urn:p"><p:c p:d=""/></p:b>`},
		{"two", `<p:b q:c="d"/>`, `<p:b xmlns:p="urn:p" xmlns:q="urn:q&amp;&#34;" q:c="d"/>`},
		{"each outermost element its own", `<p:b/>x<c/>y<q:d/><p:e/>`, `<p:b xmlns:p="urn:p"/>x<c/>y<q:d xmlns:q="urn:q&amp;&#34;"/><p:e xmlns:p="urn:p"/>`},
		{"after a comment", `<!-- <p:x> --><p:b/>`, `<!-- <p:x> --><p:b xmlns:p="urn:p"/>`},
		{"declared anew beside it", `<b><p:c xmlns:p="urn:own"/><p:d/></b>`, `<b xmlns:p="urn:p"><p:c xmlns:p="urn:own"/><p:d/></b>`},
		{"declared anew", `<p:b xmlns:p="urn:own"/>`, `<p:b xmlns:p="urn:own"/>`},
		{"a name as a value", `<b c="p:d"/>`, `<b xmlns:p="urn:p" c="p:d"/>`},
		{"xml", `<b xml:lang="en"/>`, `<b xml:lang="en"/>`},
		{"not ASCII", "<p:größe/>", `<p:größe xmlns:p="urn:p"/>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, document := range []string{
				"<a" + outer + "><value>" + c.content + "</value></a>",
				"<a><value" + outer + ">" + c.content + "</value></a>",
			} {
				got, _, err := contentOf(document)
				if err != nil || got != c.want {
					t.Errorf("%q is\n%q, %v, want\n%q", document, got, err, c.want)
				}
			}
		})
	}
	for _, c := range []struct{ document, want string }{
		{`<a xmlns="urn:a"><value><b c=""/>x<d/></value></a>`, `<b xmlns="urn:a" c=""/>x<d xmlns="urn:a"/>`},
		{`<a xmlns="urn:a"><value><b xmlns=""><c/></b></value></a>`, `<b xmlns=""><c/></b>`},
		{`<a xmlns="urn:a"><value xmlns=""><b/></value></a>`, `<b/>`},
		{`<a xmlns="urn:a"><value xmlns:p="urn:p"><p:b><c/></p:b></value></a>`, `<p:b xmlns:p="urn:p" xmlns="urn:a"><c/></p:b>`},
	} {
		if got, _, err := contentOf(c.document); err != nil || got != c.want {
			t.Errorf("%q is\n%q, %v, want\n%q", c.document, got, err, c.want)
		}
	}
}

func TestContentRefused(t *testing.T) {
	long := strings.Repeat("n", maxXMLName-1)
	for _, c := range []struct{ name, document string }{
		{"XML 1.0 §3.1 no white space between attributes", `<a><value><b c="d"e="f"/></value></a>`},
		{"XML 1.0 §2.2 control character in a comment", "<a><value><!-- \x01 --></value></a>"},
		{"invalid UTF-8 in a comment", "<a><value><!-- \xff --></value></a>"},
		{"XML 1.0 §2.2 U+FFFF in a comment", "<a><value><!-- \uffff --></value></a>"},
		{"XML 1.0 §2.2 character reference that is none", "<a><value>&#1;</value></a>"},
		{"processing instruction", "<a><value><?b c?></value></a>"},
		{"declaration", `<a><value><?xml version="1.0"?></value></a>`},
		{"does not end", "<a><value>"},
		{"ends in an element", "<a><value><b>"},
		{"crossed", "<a><value><b></value></b></a>"},
		{"prefix that is not bound", "<a><value><p:b/></value></a>"},
		{"a long namespace used by many", `<a xmlns:p="` + long + `"><value>` + strings.Repeat("<p:b/>", 2000) + "</value></a>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _, err := contentOf(c.document); err == nil {
				t.Errorf("%.80q is %.80q", c.document, got)
			}
		})
	}
}

func TestLang(t *testing.T) {
	for _, c := range []struct{ name, document, want string }{
		{"none", "<a><value/></a>", ""},
		{"RFC 4918 §4.3 its own", `<a><value xml:lang="de"/></a>`, "de"},
		{"RFC 4918 §4.3 in scope", `<a xml:lang="de-CH"><value/></a>`, "de-CH"},
		{"the innermost", `<a xml:lang="de"><value xml:lang="en"/></a>`, "en"},
		{"taken back", `<a xml:lang="de"><value xml:lang=""/></a>`, ""},
		{"only of what is in it", `<a><value><b xml:lang="de"/></value></a>`, ""},
		{"not another's", `<a lang="de" xmlns:b="urn:b" b:lang="de"><value/></a>`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, lang, err := contentOf(c.document); err != nil || lang != c.want {
				t.Errorf("%q, %v, want %q", lang, err, c.want)
			}
		})
	}
	if _, lang, _ := contentOf(`<a><b xml:lang="de"/><value/></a>`); lang != "de" {
		t.Errorf("%q", lang)
	}
	x := readerOf(`<a><b xml:lang="de"/><c/></a>`)
	if _, err := x.Start(); err != nil {
		t.Fatal(err)
	}
	var langs []string
	if err := x.Children(func(xml.StartElement) error { langs = append(langs, x.lang()); return x.skip() }); err != nil || !slices.Equal(langs, []string{"de", ""}) {
		t.Errorf("%q, %v", langs, err)
	}
}

// events returns the meaning of a document: its elements and attributes with their
// namespaces, and its text, without declarations.
func events(t *testing.T, document string) (list []string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(document))
	text := ""
	add := func(event string) {
		if text != "" {
			list = append(list, "text "+text)
		}
		if text = ""; event != "" {
			list = append(list, event)
		}
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%v in %q", err, document)
		}
		switch e := token.(type) {
		case xml.CharData:
			text += string(e)
		case xml.Comment:
			add(fmt.Sprintf("comment %q", string(e)))
		case xml.EndElement:
			add("end")
		case xml.StartElement:
			attributes := slices.DeleteFunc(e.Attr, func(a xml.Attr) bool {
				return a.Name.Space == "xmlns" || a.Name == xml.Name{Local: "xmlns"}
			})
			add(fmt.Sprintf("start %q %q", e.Name, attributes))
		}
	}
}

// FuzzContent checks that content keeps its meaning in another element, and that only
// declarations are added.
func FuzzContent(f *testing.F) {
	for _, c := range asWritten {
		f.Add(c.content, `xmlns="urn:default" xmlns:p="urn:p"`, "")
	}
	f.Add(`<p:b q:c="d"><e/></p:b>x<D:f g="p:h"/>`, `xmlns:p="urn:p" xmlns:q="p"`, ` xmlns="urn:&lt;" xmlns:D="D" xml:lang="en"`)
	f.Fuzz(func(t *testing.T, content, outer, own string) {
		document := "<a " + outer + "><value " + own + ">" + content + "</value></a>"
		got, _, err := contentOf(document)
		if err != nil {
			return
		}
		// Whether it is the first element in a is not known: own may hold markup.
		want := valueEvents(events(t, document))
		if again := events(t, `<D:x xmlns:D="DAV:">`+got+"</D:x>"); !slices.Equal(again[1:len(again)-1], want) {
			t.Fatalf("%q is %q:\n%q, want\n%q", document, got, again[1:len(again)-1], want)
		}
		if len(got) < len(content) && strings.Contains(document, ">"+content+"</value></a>") && !strings.ContainsAny(own+outer, "<>") {
			t.Fatalf("%q is %q", content, got)
		}
		if _, _, err := contentOf(`<a><value>` + got + "</value></a>"); err != nil {
			t.Fatalf("%q is %q, and that %v", document, got, err)
		}
	})
}

// valueEvents returns those in the first element of a document's root.
func valueEvents(all []string) []string {
	depth, from := 0, 0
	for i, event := range all {
		switch {
		case strings.HasPrefix(event, "start"):
			if depth++; depth == 2 && from == 0 {
				from = i + 1
			}
		case event == "end":
			if depth--; depth == 1 && from > 0 {
				return all[from:i]
			}
		}
	}
	return nil
}
