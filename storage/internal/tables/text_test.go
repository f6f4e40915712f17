package tables

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/davd/davd/storage"
)

// FuzzNames: a key determines its name, is text that every database accepts, and is in
// the range of a tree if and only if the name is in the tree.
func FuzzNames(f *testing.F) {
	for _, pair := range [][2]string{
		{"/", "/a"},
		{"/a", "/a/b"},
		{"/a", "/ab"},
		{"/a", "/a."},
		{"/a", "/a0"},
		{"/a", "/a%2Fb"},
		{"/%", "/%25"},
		{"/\xc3", "/\xc3\xa9"},
		{"/é", "/é/\x00"},
		{"/a%2", "/a%2/0"},
		{"/\xff", "/%FF"},
		{"/A", "/a/b"},
		{"/%4", "/%41"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, root, below string) {
		root, below = storage.Clean(root), storage.Clean(below)
		k := Key(below)
		if got := Unkey(k); got != below {
			t.Errorf("%q is stored as %q, which is %q", below, k, got)
		}
		if !utf8.ValidString(k) || strings.Contains(k, "\x00") {
			t.Errorf("%q is stored as %q", below, k)
		}
		want := root == "/" || below == root || strings.HasPrefix(below, root+"/")
		from, to := Tree(root)
		if got := from <= k && k < to; got != want {
			t.Errorf("%q is in the tree of %q: %v, want %v", below, root, got, want)
		}
		if want && root != "/" {
			// The statements do it like this, by characters.
			moved := Key("/m") + string([]rune(k)[len([]rune(from)):])
			if got := Unkey(moved); got != "/m"+below[len(root):] {
				t.Errorf("%q moved from %q to /m is %q", below, root, got)
			}
		}
	})
}
