package blobs

import (
	"fmt"
	"io"
	"strings"
)

// maxKey is the greatest length of a key in bytes.
const maxKey = 128

// CheckKey returns an error if key can't be the key of an object.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-'
	}) {
		return fmt.Errorf("%.130q can't be the key of an object", key)
	}
	return nil
}

// CheckSize returns an error if a writer got another number of bytes than Create was told. A size
// of -1 is unknown.
func CheckSize(size, written int64) error {
	if size >= 0 && written != size {
		return fmt.Errorf("the content has %d bytes, not %d: %w", written, size, io.ErrUnexpectedEOF)
	}
	return nil
}

// shortened starts the names that [Shorten] made shorter.
const shortened = "/…"

// Shorten returns name if it fits. Otherwise it returns "/…" with as many of the last segments
// as fit.
func Shorten(name string, fits func(name string) bool) string {
	if fits(name) {
		return name
	}
	rest := name
	for {
		i := strings.IndexByte(strings.TrimPrefix(rest, "/"), '/')
		if i < 0 {
			break
		}
		rest = strings.TrimPrefix(rest, "/")[i:]
		if fits(shortened + rest) {
			return shortened + rest
		}
	}
	// One segment has at most 255 letters where davd makes files, so this is rare.
	fits(shortened)
	return shortened
}
