package storage

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the same string for all segments that any file system that folds
// names may take for one: they differ by case, by composition (NFC and NFD), by
// characters that can't be seen, by dots and spaces at the end, or by the name of a
// data stream behind a colon. File systems differ in what they fold, and none of them
// tells, so that it folds more than each of them does.
func Fold(segment string) string {
	if plain(segment) {
		return segment
	}
	if i := strings.IndexByte(segment, ':'); i > 0 {
		segment = segment[:i] // NTFS: "a::$DATA" is "a"
	}
	if cut := strings.TrimRight(segment, ". "); cut != "" {
		segment = cut // vfat, exFAT and NTFS drop them
	}
	folder := cases.Fold()
	// A second round folds what the first one has made. Two are enough: the first
	// leaves nothing but lower case and full decompositions.
	for range 2 {
		segment = strings.Map(foldRune, norm.NFD.String(strings.Map(foldRune, segment)))
		// The lower case of the I with a dot is an i, with or without another dot.
		segment = strings.ReplaceAll(folder.String(segment), "i\u0307", "i")
	}
	return norm.NFC.String(segment)
}

// plain reports whether Fold leaves segment as it is: the most common names need no
// more than a look.
func plain(segment string) bool {
	for i := range len(segment) {
		c := segment[i]
		if c >= 0x80 || 'A' <= c && c <= 'Z' || c == ':' {
			return false
		}
	}
	return !strings.HasSuffix(segment, ".") && !strings.HasSuffix(segment, " ")
}

// foldRune joins what has the same upper case with what has the same lower case, and
// drops what ext4 ignores.
func foldRune(r rune) rune {
	if unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
		return -1
	}
	return unicode.ToLower(unicode.ToUpper(r))
}
