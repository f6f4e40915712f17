package place

import (
	"context"
	"io/fs"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage"
)

// EntityTag returns the entity tag of the file or collection that info describes. It is
// the backend's own if that is valid, and otherwise made by [storage.Version]. getetag
// and the header ETag have the same value (RFC 4918 §15.6).
func EntityTag(ctx context.Context, info fs.FileInfo) string {
	if tag := OwnTag(ctx, info); tag != "" {
		return tag
	}
	tag, _ := storage.AppendVersion(append(make([]byte, 0, 2+4*17), '"'), info)
	return string(append(tag, '"'))
}

// OwnTag returns the backend's own entity tag, or "" without a valid one.
func OwnTag(ctx context.Context, info fs.FileInfo) string {
	if tagger, ok := info.(webdav.ETager); ok {
		if tag, err := tagger.ETag(ctx); err == nil && field.IsEntityTag(tag) {
			return tag
		}
	}
	return ""
}
