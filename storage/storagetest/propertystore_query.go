package storagetest

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

var propertyQueryChecks = []propertyCheck{
	{"QueryProps", func(f *propertyFixture) {
		f.plant("/a", "/b")
		f.patch("/c", set(property("other", "x")))
		names := []xml.Name{{Space: "urn:x", Local: "q"}, {Space: "urn:y", Local: "p"}, {Local: "p"}}
		f.wantsQuery(deadprops.Query{Names: []string{"/a", "/b", "/c"}, Props: names}, "/a q=same", "/b q=same")
		f.wantsQuery(deadprops.Query{Names: []string{"/a"}, Props: names[1:]})
		f.wantsQuery(deadprops.Query{Names: []string{"/a"}, Props: []xml.Name{}})
	}},
	{"QueryNamesOnly", func(f *propertyFixture) {
		prop := property("l", strings.Repeat("x", 10_000))
		prop.Lang = "de"
		f.patch("/a", set(prop, property("m", "")))
		f.wantsQuery(deadprops.Query{Names: []string{"/a"}, NamesOnly: true, MaxBytes: 1000}, "/a l=", "/a m=")
	}},
	{"QueryManyProps", func(f *propertyFixture) {
		var names []xml.Name
		for i := range 1024 {
			names = append(names, xml.Name{Space: fmt.Sprint("urn:%", i), Local: "p"})
		}
		f.patch("/a", set(webdav.Property{XMLName: names[700], InnerXML: []byte("v")}, property("p", "other")))
		f.wantsQuery(deadprops.Query{Names: []string{"/b", "/a"}, Props: names}, "/a p=v")
	}},
	{"QueryMaxBytesOfMany", func(f *propertyFixture) {
		f.patch("/a", set(property("p", strings.Repeat("x", 5000))))
		f.patch("/b", set(property("p", "small")))
		query := deadprops.Query{Names: []string{"/a", "/b"}, MaxBytes: 1000}
		if _, next, err := f.Read(f.ctx, query); err != nil || next == nil {
			f.t.Errorf("Read of two resources, one of which is too large: next %v, %v", next, err)
		}
		query.MaxBytes = 10_000
		if _, next, err := f.Read(f.ctx, query); err != nil || next != nil {
			f.t.Errorf("Read of two resources that fit: next %v, %v", next, err)
		}
	}},
	{"QueryPages", queryPages},
}

// wantsQuery checks the result of a query, in the form "resource property=value" and in order.
func (f *propertyFixture) wantsQuery(query deadprops.Query, want ...string) {
	f.t.Helper()
	found, next, err := f.Read(f.ctx, query)
	f.succeeds(err)
	var got []string
	for _, name := range query.Names {
		for _, p := range found[name] {
			got = append(got, fmt.Sprintf("%s %s=%s", name, p.XMLName.Local, p.InnerXML))
			if query.NamesOnly && p.Lang != "" {
				f.t.Errorf("%v has the language %q", p.XMLName, p.Lang)
			}
		}
	}
	if next != nil || !slices.Equal(got, want) {
		f.t.Errorf("found %q, next %v; want %q", got, next, want)
	}
}

// queryPages reads a resource in pages. Some of its properties don't fit in a page.
func queryPages(f *propertyFixture) {
	const page = 2000
	var want, got []webdav.Property
	for i := range 60 {
		p := webdav.Property{
			XMLName:  xml.Name{Space: fmt.Sprint("urn:é%", i%3), Local: fmt.Sprintf("p%02d", i/3)},
			InnerXML: []byte(strings.Repeat("x", i%7*400)),
		}
		want = append(want, p)
	}
	f.patch("/a", set(want...))
	f.plant("/a/b", "/b")
	slices.SortFunc(want, func(a, b webdav.Property) int { return deadprops.Compare(a.XMLName, b.XMLName) })
	query := deadprops.Query{Names: []string{"/a"}, MaxBytes: page}
	for range 200 {
		found, next, err := f.Read(f.ctx, query)
		f.succeeds(err)
		got = append(got, found["/a"]...)
		if next == nil {
			break
		}
		if len(found["/a"]) > 0 {
			query.After = got[len(got)-1].XMLName
			continue
		}
		single := deadprops.Query{Names: query.Names, Props: []xml.Name{next.Name}, MaxBytes: next.Bytes}
		found, after, err := f.Read(f.ctx, single)
		f.succeeds(err)
		if after != nil || len(found["/a"]) != 1 {
			f.t.Fatalf("%v does not fit in its own %d bytes", next.Name, next.Bytes)
		}
		got = append(got, found["/a"]...)
		query.After = next.Name
	}
	same := func(a, b webdav.Property) bool {
		return a.XMLName == b.XMLName && string(a.InnerXML) == string(b.InnerXML)
	}
	if !slices.EqualFunc(got, want, same) {
		f.t.Errorf("the pages have %d properties, want %d", len(got), len(want))
	}
}
