package storagetest

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

var patchChecks = []propertyCheck{
	{"Empty", func(f *propertyFixture) {
		f.patch("/a")
		f.patch("/a", set(), unset())
		f.patch("/a", unset(property("p", "")))
		f.move("/a", "/b")
		f.copy("/a", "/b", false)
		f.remove("/a")
		found, err := f.read()
		f.succeeds(err)
		if len(found) > 0 {
			f.t.Errorf("Read of no name found %v", found)
		}
	}},
	{"PatchReplaces", func(f *propertyFixture) {
		f.patch("/a", set(property("p", "1"), property("q", "1")))
		f.patch("/a", set(property("p", "2")))
		f.check()
		f.patch("/a", unset(property("p", "ignored")))
	}},
	{"PatchRemovesLast", func(f *propertyFixture) {
		f.patch("/a/b", set(property("p", "1")))
		f.check()
		f.patch("/a/b", unset(property("p", "")))
		f.asked = append(f.asked, "/a/b", "/a")
		f.check()
		f.patch("/a/b", set(property("p", "2")))
	}},
	{"PatchRemovesMissing/RFC4918:S14.23", func(f *propertyFixture) {
		f.patch("/a", set(property("p", "1")))
		f.patch("/a", unset(property("q", "")))
		f.patch("/b", unset(property("p", "")))
		f.patch("/a", unset(property("q", "")), set(property("r", "1")))
	}},
	{"PatchInOrder/RFC4918:S9.2", func(f *propertyFixture) {
		p, again := property("p", "1"), property("p", "2")
		f.patch("/a", set(p), unset(p))
		f.patch("/b", unset(p), set(p))
		f.patch("/c", set(p), unset(p), set(again))
		f.patch("/d", set(p, again))
		f.patch("/e", set(p), set(again), set(property("q", "3")), unset(property("q", "")))
		f.asked = append(f.asked, "/a")
	}},
	{"PatchCanceled", func(f *propertyFixture) {
		f.patch("/a", set(property("p", "1")))
		many := []webdav.Proppatch{unset(property("p", ""))}
		for i := range 100 {
			many = append(many, set(property(fmt.Sprintf("p%d", i), "1")))
		}
		f.canceled(func(ctx context.Context) error { return f.Patch(ctx, "/a", many) },
			func() { f.want.patch("/a", many...) })
	}},
	{"ReadsAreCopies", func(f *propertyFixture) {
		value := []byte("value")
		f.patch("/a", set(webdav.Property{XMLName: xml.Name{Local: "p"}, InnerXML: value}))
		f.want["/a"][xml.Name{Local: "p"}] = webdav.Property{XMLName: xml.Name{Local: "p"}, InnerXML: []byte("value")}
		value[0] = 'X'
		f.check()
		found, err := f.read("/a")
		f.succeeds(err)
		for _, prop := range found["/a"] {
			prop.InnerXML[0] = 'Y'
		}
	}},
	{"ReadMany", func(f *propertyFixture) {
		var names []string
		for i := range 2500 {
			name := fmt.Sprintf("/d/%d", i)
			if i%500 == 499 {
				f.patch(name, set(property("q", name), property("p", name)))
			}
			names = append(names, name, name)
		}
		found, err := f.read(names...)
		f.succeeds(err)
		f.want.compare(f.t, found)
	}},
}

// propertyValues are values that a store might change.
var propertyValues = map[string]webdav.Property{
	"Empty":          {XMLName: xml.Name{Space: "urn:x", Local: "p"}},
	"EmptyNotNil":    {XMLName: xml.Name{Space: "urn:x", Local: "p"}, InnerXML: []byte{}},
	"CDATA":          property("p", "<![CDATA[<a>&]]]]><![CDATA[>]]>"),
	"Entities":       property("p", "&lt;&#228;&#xE4;&amp;amp;&quot;"),
	"Mixed":          property("p", "a <b xmlns=\"urn:b\" c='d'>e</b>\r\n\t<f/>  "),
	"Prefixes":       property("p", `<x:a xmlns:x="urn:y" x:b="c" xml:space="preserve"/>`),
	"SpaceOnly":      property("p", " \n "),
	"Bytes":          property("p", "\x00\xff\xfe%00'\"\\"),
	"Large":          property("p", strings.Repeat("<a>ä</a>", 8<<10)), // 64 KiB and more
	"Unicode":        property("p", "👩‍👩‍👧‍👦\u202e文件\ufeff"),
	"EmptyNamespace": {XMLName: xml.Name{Local: "p"}, InnerXML: []byte("v")},
	"Lang":           {XMLName: xml.Name{Space: "urn:x", Local: "p"}, Lang: "de-CH-1996", InnerXML: []byte("v")},
	"NamePercent":    {XMLName: xml.Name{Space: "http://h/%41%00?a=b&c", Local: "p"}, InnerXML: []byte("v")},
	"NameUnicode":    {XMLName: xml.Name{Space: "urn:ä文", Local: "größe"}, InnerXML: []byte("v")},
	"NameBytes":      {XMLName: xml.Name{Space: "\xff\x00%", Local: "\xe9"}, Lang: "\xfe", InnerXML: []byte("v")},
	"NameLong": {
		XMLName:  xml.Name{Space: "urn:" + strings.Repeat("s", 1000), Local: strings.Repeat("l", 500)},
		InnerXML: []byte("v"),
	},
}

// orderedNames are XML names of properties in the order of Read: by bytes, unlike the
// collation of a language or a case-insensitive one.
var orderedNames = []xml.Name{
	{Local: "a"},
	{Space: "A", Local: "z"},
	{Space: "a", Local: "%"},
	{Space: "a", Local: "B"},
	{Space: "a", Local: "_"},
	{Space: "a", Local: "a"},
	{Space: "a", Local: "a%b"},
	{Space: "a", Local: "a&"},
	{Space: "a", Local: "ä"},
	{Space: "a/", Local: "a"},
	{Space: "aa", Local: "a"},
	{Space: "b", Local: "A"},
	{Space: "ä", Local: "A"},
	{Space: "ä", Local: "\xff"}, // This is not valid XML, but a store must still keep its place.
}

func propertyValueChecks() []propertyCheck {
	all := []propertyCheck{{"Order", func(f *propertyFixture) {
		for _, name := range slices.Backward(orderedNames) {
			f.patch("/a", set(webdav.Property{XMLName: name, InnerXML: []byte("v")}))
		}
		found, err := f.read("/a")
		f.succeeds(err)
		for i, prop := range found["/a"] {
			if prop.XMLName != orderedNames[i] {
				f.t.Errorf("property %d is %q, want %q", i, prop.XMLName, orderedNames[i])
			}
		}
	}}}
	for _, label := range slices.Sorted(maps.Keys(propertyValues)) {
		all = append(all, propertyCheck{"Value" + label, func(f *propertyFixture) {
			prop := propertyValues[label]
			f.patch("/a", set(prop))
			f.check()
			f.copy("/a", "/b", true)
			f.move("/a", "/c")
			f.check()
			f.patch("/c", unset(prop))
		}})
	}
	return all
}

// plant gives each name a property whose value is that name.
func (f *propertyFixture) plant(names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.patch(name, set(property("p", name), property("q", "same")))
	}
}

// neighbours are names in the tree of /a and names that look as if they were in it.
var neighbours = []string{
	"/", "/a", "/a/b", "/a/b/c", "/a/0", "/a/.", "/a/é", "/a/%", "/a/_",
	"/ab", "/a.", "/a0", "/a/b.", "/a/b0", "/a/bc", "/A", "/A/b", "/a b", "/a%", "/a%2Fb", "/a_", "/a*", "/\x00", "/a\x00", "/é", "/aé",
	"/b", "/z/a/b",
}

var propertyTreeChecks = []propertyCheck{
	{"AnyBelow", func(f *propertyFixture) {
		f.plant("/a/b/c/d")
		f.asked = []string{"/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/b/c/d/e", "/a/b/c/dd", "/b", "/a/c"}
	}},
	{"RemoveTree", func(f *propertyFixture) {
		f.plant(neighbours...)
		f.remove("/a")
		f.check()
		f.remove("/a%")
		f.check()
		f.remove("/none")
		f.check()
		f.remove("/")
	}},
	{"MoveTree/RFC4918:S9.9.1", func(f *propertyFixture) {
		f.plant(neighbours...)
		f.move("/a", "/n")
		f.check()
		f.move("/n", "/x/y%/é")
		f.check()
		f.move("/x/y%/é", "/a")
	}},
	{"MoveOntoProperties/RFC4918:S9.9.3", func(f *propertyFixture) {
		f.plant(neighbours...)
		f.plant("/dst", "/dst/b", "/dst/only", "/dst.", "/dst0", "/dst/b/c/d")
		f.move("/a", "/dst")
		f.check()
		f.move("/none", "/dst") // If the source has no properties, the destination has none afterwards.
	}},
	{"MoveToShorterAndLonger", func(f *propertyFixture) {
		f.plant("/longer/name", "/longer/name/x", "/s", "/s/x")
		f.move("/longer/name", "/t")
		f.check()
		f.move("/t", "/s")
		f.check()
		f.move("/s", "/longer/"+strings.Repeat("é", 100))
	}},
	{"MoveBesideItself", func(f *propertyFixture) {
		f.plant("/a", "/a/b")
		f.move("/a", "/ab")
		f.check()
		f.move("/ab", "/a")
		f.check()
		f.move("/a/b", "/a/bb")
	}},
	{"CopyTree/RFC4918:S9.8.2", func(f *propertyFixture) {
		f.plant(neighbours...)
		f.plant("/dst", "/dst/b", "/dst/only", "/dst.", "/dst0")
		f.copy("/a", "/dst", false)
		f.check()
		f.patch("/dst/b", set(property("p", "changed"))) // This must not change the source.
		f.patch("/a/b", unset(property("q", "")))
	}},
	{"CopyZeroDepth/RFC4918:S9.8.3", func(f *propertyFixture) {
		f.plant(neighbours...)
		f.plant("/dst", "/dst/b")
		f.copy("/a", "/dst", true)
		f.check()
		f.copy("/z", "/dst", true) // Only a resource below /z has properties.
	}},
	{"Overlap", func(f *propertyFixture) {
		f.plant("/", "/a", "/a/b")
		for _, pair := range [][2]string{{"/a", "/a"}, {"/a", "/a/b"}, {"/a/b", "/a"}, {"/", "/a"}, {"/a", "/"}} {
			for _, err := range []error{
				f.Move(f.ctx, pair[0], pair[1]), f.Copy(f.ctx, pair[0], pair[1], false), f.Copy(f.ctx, pair[0], pair[1], true),
			} {
				if !errors.Is(err, fs.ErrInvalid) {
					f.t.Errorf("%q: error %v, want fs.ErrInvalid", pair, err)
				}
			}
			f.check()
		}
	}},
	{"TreeCanceled", func(f *propertyFixture) {
		f.plant(neighbours...)
		f.canceled(func(ctx context.Context) error { return f.Move(ctx, "/a", "/n") },
			func() { f.want.copy("/a", "/n", false); f.want.remove("/a") })
		f.canceled(func(ctx context.Context) error { return f.Copy(ctx, "/a", "/b", false) },
			func() { f.want.copy("/a", "/b", false) })
		f.canceled(func(ctx context.Context) error { return f.Remove(ctx, "/a") },
			func() { f.want.remove("/a") })
	}},
}

// propertyNameChecks returns checks that use each hostile name, as a file and as a collection,
// in all calls.
func propertyNameChecks() []propertyCheck {
	names := maps.Clone(hostileNames)
	names["NUL"] = "\x00a\x00"
	names["Underscore"] = "a_b"
	names["Wildcards"] = `%_\%`
	names["Longest4096"] = strings.Repeat(strings.Repeat("n", 255)+"/", 15) + strings.Repeat("n", 255)
	var all []propertyCheck
	for _, label := range slices.Sorted(maps.Keys(names)) {
		all = append(all, propertyCheck{"Name" + label, func(f *propertyFixture) { f.nameWorks(names[label]) }})
	}
	all = append(all, propertyCheck{"LongNames", longNames})
	for _, label := range slices.Sorted(maps.Keys(pairs)) {
		all = append(all, propertyCheck{"TwoNames" + label, func(f *propertyFixture) {
			first, second := "/"+pairs[label][0], "/"+pairs[label][1]
			f.plant(first, second, first+"/x", second+"/x")
			f.check()
			f.move(second, "/moved")
			f.check()
			f.remove(first)
		}})
	}
	return all
}

func (f *propertyFixture) nameWorks(name string) {
	f.t.Helper()
	file, dir := "/"+name, path.Join("/dir", name)
	f.plant(file, dir, dir+"/"+name, "/plain", "/other/x")
	f.check()
	f.move(dir, "/plain")
	f.check()
	f.copy("/plain", dir, false)
	f.check()
	f.move(file, "/other")
	f.check()
	f.copy(dir, file, true)
	f.check()
	f.remove(dir)
}

// longNames uses names of resources, properties and owners that differ only after 60,000 bytes.
func longNames(f *propertyFixture) {
	long := strings.Repeat("例え", 10_000)
	first, second := "/"+long+"/1", "/"+long+"/2"
	f.plant(first, first+"/x", second, "/dst")
	f.check()
	for _, name := range []xml.Name{{Space: long + "1", Local: long}, {Space: long + "2", Local: long}, {Space: long, Local: long + "1"}, {Space: long, Local: long + "2"}} {
		f.patch(first, set(webdav.Property{XMLName: name, Lang: long, InnerXML: []byte(name.Space[len(long):] + name.Local[len(long):])}))
	}
	f.check()
	f.patch(first, unset(webdav.Property{XMLName: xml.Name{Space: long, Local: long + "1"}}))
	f.check()
	f.copy(first, second, false)
	f.check()
	f.move(first, "/dst")
	f.check()
	f.remove(second)
	f.check()
	limits := deadprops.Limits{Property: -1, Owner: 1000}
	f.setsAs(long+"1", limits, second, "p", 800, true)
	f.setsAs(long+"2", limits, second, "q", 800, true)
	f.setsAs(long+"1", limits, second, "r", 800, false)
}
