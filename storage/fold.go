package storage

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the same string for all segments that some filesystem may treat as the
// same name. Such segments differ by case, by composition (NFC and NFD), by invisible
// characters, by dots and spaces at the end, or by the name of a data stream after a
// colon. File systems differ in what they fold, and none of them tells, so Fold folds
// more than any single one does.
func Fold(segment string) string {
	if plain(segment) {
		return segment
	}
	if i := strings.IndexByte(segment, ':'); i > 0 {
		segment = segment[:i] // NTFS: "a::$DATA" is "a"
	}
	if cut := strings.TrimRight(segment, ". "); cut != "" {
		segment = cut // vfat, exFAT and NTFS drop dots and spaces at the end
	}
	folder := cases.Fold()
	// A second round folds the results of the first one. Two are enough: after the
	// first, only lower case and full decompositions are left.
	for range 2 {
		segment = strings.Map(foldRune, norm.NFD.String(strings.Map(foldRune, segment)))
		// İ, the I with a dot, has the lower case i, with or without a combining dot.
		segment = strings.ReplaceAll(folder.String(segment), "i\u0307", "i")
	}
	return norm.NFC.String(segment)
}

// plain reports whether Fold leaves segment unchanged. This quick check is enough for
// the most common names.
func plain(segment string) bool {
	for i := range len(segment) {
		c := segment[i]
		if c >= 0x80 || 'A' <= c && c <= 'Z' || c == ':' {
			return false
		}
	}
	return !strings.HasSuffix(segment, ".") && !strings.HasSuffix(segment, " ")
}

// foldRune maps characters to one if they share their upper or their lower case, and
// drops the characters that ext4 ignores.
func foldRune(r rune) rune {
	if unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
		return -1
	}
	return unicode.ToLower(unicode.ToUpper(r))
}
