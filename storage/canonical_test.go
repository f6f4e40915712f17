package storage_test

import (
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
)

func TestResolver(t *testing.T) {
	links := map[string]string{
		"/l": "d", "/d/up": "../e", "/d/self": ".", "/d/root": "..", "/loop": "loop", "/a": "b", "/b": "a",
		"/out": "../x", "/abs": "/d", "/deep": "d/sub//./x", "/twice": "l/up", "/wide": "d/../../d", "/none": "missing/x",
	}
	r := storage.Resolver{Readlink: func(name string) (string, error) {
		if strings.Contains(name, "missing") {
			return "", fs.ErrNotExist
		}
		return links[name], nil
	}}
	for _, c := range []struct {
		name   string
		follow bool
		want   string
		links  []string
	}{
		{name: "/", want: "/"},
		{name: "/d/x", want: "/d/x"},
		{name: "/l", want: "/l"},
		{name: "/l", follow: true, want: "/d", links: []string{"/l"}},
		{name: "/l/x", want: "/d/x", links: []string{"/l"}},
		{name: "/d/up", want: "/d/up"},
		{name: "/d/up/x", want: "/e/x", links: []string{"/d/up"}},
		{name: "/d/self/self/x", want: "/d/x", links: []string{"/d/self", "/d/self"}},
		{name: "/d/root/d/x", want: "/d/x", links: []string{"/d/root"}},
		{name: "/deep/y", want: "/d/sub/x/y", links: []string{"/deep"}},
		{name: "/twice/y", want: "/e/y", links: []string{"/twice", "/l", "/d/up"}},
		{name: "/none", follow: true, want: "/missing/x", links: []string{"/none"}},
		// A link that leads nowhere stays in the name.
		{name: "/loop/x", want: "/loop/x"},
		{name: "/out/x", want: "/out/x"},
		{name: "/wide/x", want: "/wide/x"},
		{name: "/abs/x", want: "/abs/x"},
	} {
		got := r.Canonical(c.name, c.follow)
		if strings.HasPrefix(c.name, "/loop") {
			got.Links = nil
		}
		if got.Name != c.want || got.Key != c.want || !reflect.DeepEqual(got.Links, c.links) {
			t.Errorf("Canonical(%q, %t) = %+v, want %q by %q", c.name, c.follow, got, c.want, c.links)
		}
	}
	r.Spell = func(_, segment string) string { return storage.Fold(segment) }
	r.Folds = func(string) bool { return true }
	got := r.Canonical("/l/Straße", true)
	if got.Name != "/d/Straße" || got.Key != "/d/strasse" || got.Member("A").Key != "/d/strasse/a" || got.Member("A").Name != "/d/Straße/A" {
		t.Errorf("with folded names: %+v, and its member %+v", got, got.Member("A"))
	}
}

func TestComposingMember(t *testing.T) {
	c := storage.Canon{Name: "/dir", Key: "/dir", Composes: true}
	member := c.Member("Cafe\u0301")
	if member.Name != "/dir/Cafe\u0301" || member.Key != "/dir/Caf\u00e9" || !member.Composes {
		t.Errorf("the member is %+v", member)
	}
}
