package storage_test

import (
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/storage"
)

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"Tree", "tree", "TREE", "tree.", "Tree. .", "tree::$DATA", "TREE:stream"},
		{"é", "e\u0301", "É", "E\u0301"},
		{"straße", "STRASSE", "STRAẞE"},
		{"k", "K", "\u212a"},
		{"i", "I", "İ", "ı"},
		{"s", "S", "ſ"},
		{"σ", "ς", "Σ"},
		{"µ", "μ", "Μ"},
		{"å", "Å", "\u212b", "a\u030a"},
		{"ǆ", "ǅ", "Ǆ"},
		{"ᾳ", "αι", "ΑΙ", "ᾼ"},
		{"ab", "a\u00adb", "a\u200db", "A\ufe0fB"},
		{"...", "..."},
		{":a", ":A"},
		{"ﬁ", "FI", "fi"},
	} {
		for _, name := range same {
			if got, want := storage.Fold(name), storage.Fold(same[0]); got != want {
				t.Errorf("Fold(%q) = %q, want %q as for %q", name, got, want, same[0])
			}
		}
	}
	for _, other := range [][2]string{{"a", "b"}, {"tree", "tre"}, {"a.b", "ab"}, {"...", ".."}, {"①", "1"}, {"a b", "ab"}, {".a", "a"}, {"é", "e"}} {
		if storage.Fold(other[0]) == storage.Fold(other[1]) {
			t.Errorf("Fold returns the same for %q and %q", other[0], other[1])
		}
	}
}

// TestFoldEveryRune checks every rune that the tables of some filesystem may fold: the upper,
// lower and title cases, the simple foldings and the normal forms.
func TestFoldEveryRune(t *testing.T) {
	for r := rune(' '); r <= unicode.MaxRune; r++ {
		if r >= 0xac00 && r < 0xe000 && r%28 != 0 { // A sample of Hangul is enough.
			continue
		}
		if unicode.ToUpper(r) == r && unicode.ToLower(r) == r && unicode.SimpleFold(r) == r && norm.NFD.IsNormalString(string(r)) {
			continue // No table maps this rune to another one.
		}
		name := "x" + string(r) + "x"
		want := storage.Fold(name)
		if again := storage.Fold(want); again != want {
			t.Errorf("Fold(%q) = %q, but Fold of that is %q", name, want, again)
		}
		for _, other := range []string{
			string(unicode.ToUpper(r)), string(unicode.ToLower(r)), string(unicode.ToTitle(r)), string(unicode.SimpleFold(r)),
			norm.NFC.String(string(r)), norm.NFD.String(string(r)),
		} {
			if got := storage.Fold("x" + other + "x"); got != want {
				t.Errorf("Fold(%q) = %q, but for %q it is %q", name, want, other, got)
			}
		}
	}
}
