package dav

import (
	"context"
	"io/fs"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// entityTag returns the entity tag of what info describes, file or collection:
// the backend's own or, where it gives none that is one, what [storage.Version]
// makes. It is the same in getetag and in the header ETag (RFC 4918 §15.6).
func entityTag(ctx context.Context, info fs.FileInfo) string {
	if tag := ownTag(ctx, info); tag != "" {
		return tag
	}
	version, _ := storage.Version(info)
	return `"` + version + `"`
}

// ownTag returns the backend's own entity tag, or "".
func ownTag(ctx context.Context, info fs.FileInfo) string {
	if tagger, ok := info.(webdav.ETager); ok {
		if tag, err := tagger.ETag(ctx); err == nil && isEntityTag(tag) {
			return tag
		}
	}
	return ""
}

// isEntityTag reports whether tag is an entity tag (RFC 9110 §8.8.3).
func isEntityTag(tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return false
	}
	for _, c := range []byte(tag[1 : len(tag)-1]) {
		if c <= ' ' || c == '"' || c == 0x7f {
			return false
		}
	}
	return true
}
