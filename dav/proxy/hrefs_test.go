package proxy

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func translated(tb testing.TB, document string, translate func(string) string) string {
	tb.Helper()
	for _, in := range []io.Reader{strings.NewReader(document), iotest.OneByteReader(strings.NewReader(document)), iotest.DataErrReader(strings.NewReader(document))} {
		got, err := io.ReadAll(newHrefReader(in, translate))
		if err != nil {
			tb.Fatal(err)
		}
		document = string(got)
		if translate("/up/x") != "/up/x" {
			break // a second pass would translate again
		}
	}
	return document
}

func upToDav(href string) string {
	if rest, ok := strings.CutPrefix(href, "/up/"); ok {
		return "/dav/" + rest
	}
	return href
}

// TestHrefs: only the text of a DAV:href is translated.
func TestHrefs(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"prefix", `<?xml version="1.0" encoding="utf-8"?><D:a xmlns:D="DAV:"><D:href>/up/a</D:href></D:a>`, `<?xml version="1.0" encoding="utf-8"?><D:a xmlns:D="DAV:"><D:href>/dav/a</D:href></D:a>`},
		{"default namespace", `<a xmlns="DAV:"><href>/up/a</href></a>`, `<a xmlns="DAV:"><href>/dav/a</href></a>`},
		{"white space", "<href xmlns='DAV:'>\n /up/a\n</href>", "<href xmlns='DAV:'>\n /dav/a\n</href>"},
		{"escapes", `<href xmlns="DAV:">/up/a&amp;b&#x3c;</href>`, `<href xmlns="DAV:">/dav/a&amp;b&lt;</href>`},
		{"CDATA", `<href xmlns="DAV:"><![CDATA[/up/a&b]]></href>`, `<href xmlns="DAV:">/dav/a&amp;b</href>`},
		{"another namespace", `<x:a xmlns:x="urn:x"><x:href>/up/a</x:href></x:a>`, `<x:a xmlns:x="urn:x"><x:href>/up/a</x:href></x:a>`},
		{"a comment", `<a xmlns="DAV:"><!-- <href>/up/a</href> --></a>`, `<a xmlns="DAV:"><!-- <href>/up/a</href> --></a>`},
		{"an attribute", `<a xmlns="DAV:" href="/up/a"/>`, `<a xmlns="DAV:" href="/up/a"/>`},
		{"elsewhere", `<href xmlns="DAV:">/other/a</href>`, `<href xmlns="DAV:">/other/a</href>`},
		{"not well-formed", `<a xmlns="DAV:"><href>/up/a</href></b><href>/up/a</href>`, `<a xmlns="DAV:"><href>/dav/a</href></b><href>/up/a</href>`},
		{"not XML", `no <XML`, `no <XML`},
		{"another encoding", `<?xml version="1.0" encoding="iso-8859-1"?><href xmlns="DAV:">/up/a</href>`, `<?xml version="1.0" encoding="iso-8859-1"?><href xmlns="DAV:">/up/a</href>`},
		{"a long text", "<a xmlns='DAV:'>" + strings.Repeat("x", 5<<20) + "<href>/up/a</href></a>", "<a xmlns='DAV:'>" + strings.Repeat("x", 5<<20) + "<href>/up/a</href></a>"},
		{"very deep", strings.Repeat("<a>", 2000) + "<href xmlns='DAV:'>/up/a</href>", strings.Repeat("<a>", 2000) + "<href xmlns='DAV:'>/up/a</href>"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := translated(t, c.in, upToDav); got != c.want {
				t.Errorf("%.300q, want %.300q", got, c.want)
			}
		})
	}
}

// TestHrefsTogether: the tokens of one read come together.
func TestHrefsTogether(t *testing.T) {
	document := "<D:a xmlns:D='DAV:'>" + strings.Repeat("<D:href>/up/a</D:href>", 1000) + "</D:a>"
	r := newHrefReader(strings.NewReader(document), upToDav)
	reads := 0
	for p := make([]byte, 64<<10); ; reads++ {
		if _, err := r.Read(p); err != nil {
			break
		}
	}
	if reads > 5 {
		t.Errorf("%d reads", reads)
	}
}

// FuzzHrefs: without a translation, every document stays as it is.
func FuzzHrefs(f *testing.F) {
	f.Add(`<?xml version="1.0"?><D:a xmlns:D="DAV:"><D:href>/up/a</D:href><b/></D:a>`)
	f.Add("<href xmlns='DAV:'>&amp;<![CDATA[]]>&#10;</href>")
	f.Fuzz(func(t *testing.T, document string) {
		if got := translated(t, document, func(href string) string { return href }); got != document {
			t.Errorf("%q became %q", document, got)
		}
	})
}
