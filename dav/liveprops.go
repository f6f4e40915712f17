package dav

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"

	"golang.org/x/net/webdav"
)

// resource is what live properties are made from.
type resource struct {
	name string
	info fs.FileInfo
}

// liveProp is a property that the server computes (RFC 4918 §15).
type liveProp struct {
	name string // in the namespace DAV:
	// collection, file: it is defined on such a resource.
	collection, file bool
	// value appends the content of the property's element. The prefix D
	// stands for DAV:.
	value func(ctx context.Context, dst []byte, r resource) []byte
}

// liveProps are in the order in which allprop and propname show them.
var liveProps = []liveProp{
	{"resourcetype", true, true, appendResourceType},
	{"displayname", true, true, appendDisplayName},
	{"getcontentlength", false, true, appendContentLength},
	// RFC 4918 §15.7 leaves it open for collections; clients sort by it.
	{"getlastmodified", true, true, appendLastModified},
	{"getcontenttype", false, true, appendContentType},
	{"getetag", false, true, appendETag},
	{"supportedlock", true, true, appendSupportedLock},
}

// livePropIndex finds a property of liveProps by name.
var livePropIndex = func() map[string]*liveProp {
	index := make(map[string]*liveProp, len(liveProps))
	for i := range liveProps {
		index[liveProps[i].name] = &liveProps[i]
	}
	return index
}()

// defined reports whether the property is defined on what info describes.
func (p *liveProp) defined(info fs.FileInfo) bool {
	if info.IsDir() {
		return p.collection
	}
	return p.file
}

func appendResourceType(_ context.Context, dst []byte, r resource) []byte {
	if r.info.IsDir() {
		dst = append(dst, "<D:collection/>"...)
	}
	return dst
}

// appendDisplayName hides the name of the root, which is none of the client's
// business.
func appendDisplayName(_ context.Context, dst []byte, r resource) []byte {
	if r.name == "/" {
		return dst
	}
	return appendText(dst, path.Base(r.name))
}

func appendContentLength(_ context.Context, dst []byte, r resource) []byte {
	return strconv.AppendInt(dst, r.info.Size(), 10)
}

func appendLastModified(_ context.Context, dst []byte, r resource) []byte {
	return r.info.ModTime().UTC().AppendFormat(dst, http.TimeFormat)
}

// appendContentType goes by the name alone: no file is opened to list it.
func appendContentType(ctx context.Context, dst []byte, r resource) []byte {
	if typer, ok := r.info.(webdav.ContentTyper); ok {
		if contentType, err := typer.ContentType(ctx); err == nil {
			return appendText(dst, contentType)
		}
	}
	if contentType := mime.TypeByExtension(path.Ext(r.name)); contentType != "" {
		return appendText(dst, contentType)
	}
	return append(dst, "application/octet-stream"...)
}

func appendETag(ctx context.Context, dst []byte, r resource) []byte {
	return appendText(dst, etag(ctx, r.info))
}

// etag returns the entity tag of what info describes, the same that x/net's
// handler sends with GET and PUT.
func etag(ctx context.Context, info fs.FileInfo) string {
	if tagger, ok := info.(webdav.ETager); ok {
		tag, err := tagger.ETag(ctx)
		if !errors.Is(err, webdav.ErrNotImplemented) {
			return tag
		}
	}
	return fmt.Sprintf(`"%x%x"`, info.ModTime().UnixNano(), info.Size())
}

func appendSupportedLock(_ context.Context, dst []byte, _ resource) []byte {
	return append(dst, "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope>"+
		"<D:locktype><D:write/></D:locktype></D:lockentry>"...)
}
