package dav

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"golang.org/x/net/webdav"
)

// fileInfo describes a resource that is nowhere.
type fileInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.modified }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

// taggedInfo is a fileInfo that knows its entity tag and content type.
type taggedInfo struct {
	fileInfo
	etag, contentType string
	err               error
}

func (i taggedInfo) ETag(context.Context) (string, error)        { return i.etag, i.err }
func (i taggedInfo) ContentType(context.Context) (string, error) { return i.contentType, i.err }

func TestLiveProps(t *testing.T) {
	modified := time.Date(2026, time.February, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	file := fileInfo{name: "a", size: 1 << 40, modified: modified}
	collection := fileInfo{name: "a", mode: fs.ModeDir, modified: modified}
	etagOfFile := fmt.Sprintf("&#34;%x%x&#34;", modified.UnixNano(), 1<<40)
	for _, c := range []struct {
		name     string
		resource string
		info     fs.FileInfo
		prop     string
		want     string
	}{
		{"§15.9 file", "/a", file, "resourcetype", ""},
		{"§15.9 collection", "/a", collection, "resourcetype", "<D:collection/>"},
		{"§15.2", "/x/a b", file, "displayname", "a b"},
		{"§15.2 to escape", "/x/<&>\n\xff", file, "displayname", "&lt;&amp;&gt;&#10;\ufffd"},
		{"§15.2 root", "/", collection, "displayname", ""},
		{"§15.4", "/a", file, "getcontentlength", "1099511627776"},
		{"§15.7 is in GMT", "/a", file, "getlastmodified", "Tue, 03 Feb 2026 03:05:06 GMT"},
		{"§15.5 by the name", "/a.html", file, "getcontenttype", "text/html; charset=utf-8"},
		{"§15.5 by the name in upper case", "/A.HTML", file, "getcontenttype", "text/html; charset=utf-8"},
		{"§15.5 unknown name", "/a.nosuchextension", file, "getcontenttype", "application/octet-stream"},
		{"§15.5 no extension", "/a", file, "getcontenttype", "application/octet-stream"},
		{"§15.5 ContentTyper", "/a.html", taggedInfo{fileInfo: file, contentType: "a/b; c=<d>"}, "getcontenttype", "a/b; c=&lt;d&gt;"},
		{"§15.5 ContentTyper that does not know", "/a.html", taggedInfo{fileInfo: file, err: webdav.ErrNotImplemented}, "getcontenttype", "text/html; charset=utf-8"},
		{"§15.6 ETager", "/a", taggedInfo{fileInfo: file, etag: `W/"a<"`}, "getetag", "W/&#34;a&lt;&#34;"},
		{"§15.6", "/a", file, "getetag", etagOfFile},
		{"§15.6 ETager that does not know", "/a", taggedInfo{fileInfo: file, etag: "x", err: webdav.ErrNotImplemented}, "getetag", etagOfFile},
		{"§15.10", "/a", file, "supportedlock", "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			live := lookupLive(davName(c.prop))
			if live == nil || !live.defined(c.info) {
				t.Fatalf("%s is not defined", c.prop)
			}
			if got := string(live.value(t.Context(), nil, resource{name: c.resource, info: c.info})); got != c.want {
				t.Errorf("%s is %q, want %q", c.prop, got, c.want)
			}
		})
	}
	for _, name := range []string{"getcontentlength", "getcontenttype", "getetag"} {
		if lookupLive(davName(name)).defined(collection) {
			t.Errorf("a collection has %s", name)
		}
	}
	if live := lookupLive(davName("no-such-property")); live != nil {
		t.Errorf("found %s", live.name)
	}
	other := davName("getetag")
	other.Space = "dav:"
	if live := lookupLive(other); live != nil {
		t.Errorf("found %s in another namespace", live.name)
	}
}
