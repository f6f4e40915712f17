package storagetest

import (
	"context"
	"encoding/xml"
	"errors"
	"maps"
	"slices"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// PropertySuite is the conformance suite for a [deadprops.Store].
type PropertySuite struct {
	// New returns an empty store, a new one at each call.
	New func(t *testing.T) deadprops.Store

	// Reopen, if the store is persistent, closes old and opens it again.
	Reopen func(t *testing.T, old deadprops.Store) deadprops.Store
}

// A propertyCheck is one requirement. It gets its own store.
type propertyCheck struct {
	name string
	run  func(f *propertyFixture)
}

// Run runs each check as a subtest.
func (s PropertySuite) Run(t *testing.T) {
	t.Helper()
	for _, c := range slices.Concat(
		patchChecks, propertyValueChecks(), propertyTreeChecks, propertyNameChecks(), propertyQueryChecks,
		propertyLimitChecks, propertyConcurrencyChecks,
	) {
		t.Run(c.name, func(t *testing.T) {
			f := &propertyFixture{Store: s.New(t), t: t, ctx: t.Context(), reopen: s.Reopen, want: properties{}}
			c.run(f)
			f.check()
			f.restart()
			f.check()
		})
	}
}

// properties is the content of a store: for the name of each resource, its properties by XML
// name.
type properties map[string]map[xml.Name]webdav.Property

// propertyFixture is a store in a test, and the content that it must have.
type propertyFixture struct {
	deadprops.Store
	t      *testing.T
	ctx    context.Context //nolint:containedctx // belongs to the test, which lives as long
	reopen func(t *testing.T, old deadprops.Store) deadprops.Store
	want   properties
	asked  []string // names that had properties earlier, or never
}

// property returns a property in the namespace urn:x.
func property(local, value string) webdav.Property {
	return webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: local}, InnerXML: []byte(value)}
}

func set(props ...webdav.Property) webdav.Proppatch { return webdav.Proppatch{Props: props} }

func unset(props ...webdav.Property) webdav.Proppatch {
	return webdav.Proppatch{Remove: true, Props: props}
}

func (f *propertyFixture) succeeds(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// restart closes the store and opens it again, if it is persistent.
func (f *propertyFixture) restart() {
	f.t.Helper()
	if f.reopen != nil {
		f.Store = f.reopen(f.t, f.Store)
	}
}

// patch patches name in the store and in want.
func (f *propertyFixture) patch(name string, patches ...webdav.Proppatch) {
	f.t.Helper()
	f.succeeds(f.Patch(f.ctx, name, patches))
	f.want.patch(name, patches...)
}

func (f *propertyFixture) move(src, dst string) {
	f.t.Helper()
	f.succeeds(f.Move(f.ctx, src, dst))
	f.asked = append(f.asked, slices.Collect(maps.Keys(f.want))...)
	f.want.copy(src, dst, false)
	f.want.remove(src)
}

func (f *propertyFixture) copy(src, dst string, zeroDepth bool) {
	f.t.Helper()
	f.succeeds(f.Copy(f.ctx, src, dst, zeroDepth))
	f.asked = append(f.asked, slices.Collect(maps.Keys(f.want))...)
	f.want.copy(src, dst, zeroDepth)
}

func (f *propertyFixture) remove(name string) {
	f.t.Helper()
	f.succeeds(f.Remove(f.ctx, name))
	f.asked = append(f.asked, slices.Collect(maps.Keys(f.want))...)
	f.want.remove(name)
}

// read returns all properties of names.
func (f *propertyFixture) read(names ...string) (map[string][]webdav.Property, error) {
	found, next, err := f.Read(f.ctx, deadprops.Query{Names: names})
	if next != nil {
		f.t.Errorf("without a limit, Read left out %+v", *next)
	}
	return found, err
}

// check compares the whole store with want, and calls Any for every name.
func (f *propertyFixture) check() {
	f.t.Helper()
	names := slices.AppendSeq(slices.Clone(f.asked), maps.Keys(f.want))
	names = append(names, "/", "/never")
	found, err := f.read(names...)
	f.succeeds(err)
	f.want.compare(f.t, found)
	for _, name := range names {
		anything, err := f.Any(f.ctx, name)
		f.succeeds(err)
		if want := f.want.any(name); anything != want {
			f.t.Errorf("Any(%.200q) = %v, want %v", name, anything, want)
		}
	}
}

// canceled calls change with a cancelled context. It checks that change either succeeds, and
// then calls done, or returns context.Canceled and changes nothing.
func (f *propertyFixture) canceled(change func(ctx context.Context) error, done func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	err := change(ctx)
	if err == nil {
		done()
	} else if !errors.Is(err, context.Canceled) {
		f.t.Errorf("error %q, want context.Canceled", err)
	}
	f.check()
}

// The methods of properties are the oracle: the simplest implementation of the contract.

// contains reports whether name is in the tree root.
func contains(root, name string) bool {
	return root == "/" || name == root || len(name) > len(root) && name[:len(root)+1] == root+"/"
}

func (p properties) patch(name string, patches ...webdav.Proppatch) {
	for _, patch := range patches {
		for _, prop := range patch.Props {
			if patch.Remove {
				delete(p[name], prop.XMLName)
				continue
			}
			if p[name] == nil {
				p[name] = map[xml.Name]webdav.Property{}
			}
			p[name][prop.XMLName] = prop
		}
	}
	if len(p[name]) == 0 {
		delete(p, name)
	}
}

func (p properties) any(root string) bool {
	for name := range p {
		if contains(root, name) {
			return true
		}
	}
	return false
}

func (p properties) remove(root string) {
	maps.DeleteFunc(p, func(name string, _ map[xml.Name]webdav.Property) bool { return contains(root, name) })
}

func (p properties) copy(src, dst string, zeroDepth bool) {
	p.remove(dst)
	for name, props := range maps.Clone(p) {
		if name == src || !zeroDepth && contains(src, name) {
			p[dst+name[len(src):]] = maps.Clone(props)
		}
	}
}

// compare compares the result of Read for all names with p.
func (p properties) compare(t *testing.T, found map[string][]webdav.Property) {
	t.Helper()
	for name := range found {
		if p[name] == nil {
			t.Errorf("%.200q has %d properties, want none", name, len(found[name]))
		}
	}
	for name, want := range p {
		got := found[name]
		if len(got) != len(want) {
			t.Errorf("%.200q has %d properties, want %d", name, len(got), len(want))
		}
		if !slices.IsSortedFunc(got, func(a, b webdav.Property) int { return deadprops.Compare(a.XMLName, b.XMLName) }) {
			t.Errorf("%.200q: properties out of order", name)
		}
		for _, prop := range got {
			wanted, ok := want[prop.XMLName]
			if !ok || prop.Lang != wanted.Lang || string(prop.InnerXML) != string(wanted.InnerXML) {
				t.Errorf("%.200q: property %q is %.200q (%q), want %.200q (%q)",
					name, prop.XMLName, prop.InnerXML, prop.Lang, wanted.InnerXML, wanted.Lang)
			}
		}
	}
}
