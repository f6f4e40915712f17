package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
)

func parsePrefix(s string) (string, error) {
	trimmed := strings.TrimRight(s, "/")
	switch {
	case trimmed == "":
		return "", nil
	case s[0] != '/':
		return "", fmt.Errorf("%q does not begin with a slash: write /%s", s, s)
	case path.Clean(trimmed) != trimmed:
		return "", fmt.Errorf("%q is not a plain path: write %s", s, path.Clean(trimmed))
	}
	return trimmed, nil
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write a number with its unit, such as 500ms, 20s or 1m30s", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative: write 0s or more", s)
	}
	return d, nil
}

// parseStall parses a duration. For 0, which means no limit, it returns -1.
func parseStall(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d == 0 {
		d = -1
	}
	return d, err
}

func parsePositive(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d == 0 {
		return 0, errors.New("it can't be zero: write a longer time, such as 20s")
	}
	return d, err
}

// parseRealm accepts only characters that need no escape in a quoted-string (RFC 9110
// §5.6.4) and look the same in every client.
func parseRealm(s string) (string, error) {
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return "", fmt.Errorf("%q contains a character that some clients can't show: write printable ASCII without quotes and backslashes", s)
		}
	}
	return s, nil
}

func parseInterimMode(s string) (dav.InterimMode, error) {
	mode, err := dav.ParseInterimMode(s)
	if err != nil {
		_, err = oneOf(dav.InterimAuto.String(), dav.InterimAlways.String(), dav.InterimNever.String())(s)
	}
	return mode, err
}

func parseCompression(s string) (dav.Compression, error) {
	compression, err := dav.ParseCompression(s)
	if err != nil {
		_, err = oneOf(dav.CompressAuto.String(), dav.CompressAlways.String(), dav.CompressNever.String())(s)
	}
	return compression, err
}

func parseSymlinks(s string) (local.Links, error) {
	links, err := local.ParseLinks(s)
	if err != nil {
		_, err = oneOf(local.LinksDeny.String(), local.LinksInside.String(), local.LinksFollow.String())(s)
	}
	return links, err
}

func parseLevel(s string) (slog.Level, error) {
	levels := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	names := make([]string, len(levels))
	for i, level := range levels {
		names[i] = strings.ToLower(level.String())
		if s == names[i] {
			return level, nil
		}
	}
	_, err := oneOf(names...)(s)
	return 0, err
}

// oneOf returns a parser that accepts only words.
func oneOf[Word ~string](words ...Word) func(string) (Word, error) {
	return func(s string) (Word, error) {
		if i := slices.Index(words, Word(s)); i >= 0 {
			return words[i], nil
		}
		return "", fmt.Errorf("unknown value %q: write %s", s, alternatives(words))
	}
}

// alternatives lists words as in "a, b or c".
func alternatives[Word ~string](words []Word) string {
	var list strings.Builder
	for i, word := range words {
		switch i {
		case 0:
		case len(words) - 1:
			list.WriteString(" or ")
		default:
			list.WriteString(", ")
		}
		list.WriteString(string(word))
	}
	return list.String()
}
