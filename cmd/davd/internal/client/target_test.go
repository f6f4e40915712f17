package client

import "testing"

func TestInto(t *testing.T) {
	for _, c := range []struct{ src, dst, want string }{
		{"/a/b.txt", "/c", "/c"},
		{"/a/b.txt", "/c/", "/c/b.txt"},
		{"/a/b%20c/", "/d/", "/d/b%20c"},
		{"/a", "/", "/a"},
		{"/", "/d/", "/d/"},
	} {
		if got := into(c.src, c.dst); got != c.want {
			t.Errorf("%s into %s is %s, want %s", c.src, c.dst, got, c.want)
		}
	}
	for _, c := range []struct{ name, dst, want string }{
		{"a", "", "a"},
		{"a", "b", "b"},
		{"a", "b/", "b/a"},
		{"a", ".", "a"},
		{"a", "..", "../a"},
		{"a", "b/..", "a"},
	} {
		if got := intoDir(c.name, c.dst); got != c.want {
			t.Errorf("%s into %q is %s, want %s", c.name, c.dst, got, c.want)
		}
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"a b é 日本 #%", "a b é 日本 #%"},
		{"a\x1b[2J\n", "a%1B[2J%0A"},
		{"a\xff", "a%FF"},
		{"a\u202eb", "a%E2%80%AEb"}, // reverses the direction of the text that follows
		{"\ufffd", "\ufffd"},
	} {
		if got := Shown(c.name); got != c.want {
			t.Errorf("%q is shown as %q, want %q", c.name, got, c.want)
		}
	}
}

func TestChildRef(t *testing.T) {
	for _, c := range []struct{ parent, href, want string }{
		{"/d", "/d/a%20b", "/d/a%20b"},
		{"/d/", "http://inner/x/d/c/", "/d/c"},
		{"/d/", "/d/a%2Fb", "/d/a%2Fb"},
	} {
		if got, ok := childRef(c.parent, c.href); !ok || got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.href, c.parent, got, c.want)
		}
	}
	if ref, ok := childRef("/d/", "http://["); ok {
		t.Error(ref)
	}
}
