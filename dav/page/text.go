package page

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/internal/field"
)

// A crumb is a link to a collection above.
type crumb struct{ Name, Ref string }

// crumbs returns the links from the root to the collection.
func crumbs(c *dav.Collection) []crumb {
	links := []crumb{{"Files", c.Root}}
	ref := c.Root
	for name := range strings.SplitSeq(strings.Trim(c.Name, "/"), "/") {
		if name != "" {
			ref += url.PathEscape(name) + "/"
			links = append(links, crumb{label(name), ref})
		}
	}
	return links
}

// reference returns the reference to a member.
func reference(c *dav.Collection, m dav.Member) string {
	ref := c.Base + string(field.AppendEscaped(nil, m.Name))
	if m.Collection {
		ref += "/"
	}
	return ref
}

// label returns a name for people. It replaces characters that control the text around.
func label(name string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' {
			return utf8.RuneError
		}
		return c
	}, name)
}

// kindText returns the kind of a member for people, as the page has it with scripts.
func kindText(m dav.Member) string {
	if m.Collection {
		return "Folder"
	}
	media, _, _ := strings.Cut(m.Type, ";")
	if kind, ok := kinds[media]; ok {
		return kind
	}
	switch class, _, _ := strings.Cut(media, "/"); class {
	case "image", "audio", "video", "text", "font":
		return strings.ToUpper(class[:1]) + class[1:]
	}
	for part, kind := range map[string]string{"spreadsheet": "Spreadsheet", "wordprocessing": "Document", "presentation": "Slides"} {
		if strings.Contains(media, part) {
			return kind
		}
	}
	return "File"
}

// kinds are those of media types that don't begin with their kind.
var kinds = map[string]string{
	"application/pdf": "PDF", "application/json": "Code", "application/yaml": "Code", "application/toml": "Code",
	"application/zip": "Archive", "application/gzip": "Archive", "application/zstd": "Archive", "application/x-tar": "Archive",
	"application/x-xz": "Archive", "application/x-bzip2": "Archive", "application/x-7z-compressed": "Archive",
	"application/msword": "Document", "application/rtf": "Document", "application/vnd.oasis.opendocument.text": "Document",
	"application/vnd.ms-excel": "Spreadsheet", "application/vnd.ms-powerpoint": "Slides",
}

func isoText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// sizeText returns a size for people, in powers of 1000.
func sizeText(size int64) string {
	if size < 0 {
		return ""
	}
	if size < 1000 {
		return strconv.FormatInt(size, 10) + " B"
	}
	value, unit := float64(size)/1000, 0
	for value >= 999.5 && unit < 5 {
		value, unit = value/1000, unit+1
	}
	decimals := 0
	if value < 9.95 {
		decimals = 1
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + " " + "kMGTPE"[unit:unit+1] + "B"
}
