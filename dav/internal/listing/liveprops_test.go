package listing

import (
	"io/fs"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/infotest"
	"github.com/davd/davd/dav/internal/place"
)

// bornInfo is an Info with a creation date. It is its own storage.Facts.
type bornInfo struct {
	infotest.Info
	born time.Time
}

func (i bornInfo) Sys() any                       { return i }
func (bornInfo) Identity() (device, inode uint64) { return 1, 2 }
func (bornInfo) Changed() int64                   { return 0 }
func (i bornInfo) BirthTime() time.Time           { return i.born }

func TestLiveProps(t *testing.T) {
	modified := time.Date(2026, time.February, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	file := infotest.Info{Base: "a", Length: 1 << 40, Modified: modified}
	collection := infotest.Info{Base: "a", FileMode: fs.ModeDir, Modified: modified}
	etagOfFile := place.EntityTag(t.Context(), file)
	born := &liveValues{ctx: t.Context(), quotas: &quotas{known: map[string]*quota{"": {used: 12, available: -3}}}}
	plain := &liveValues{ctx: t.Context(), shared: true}
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
		{"§15.5 ContentTyper", "/a.html", infotest.Tagged{Info: file, Type: "a/b; c=<d>"}, "getcontenttype", "a/b; c=&lt;d&gt;"},
		{"§15.5 ContentTyper that does not know", "/a.html", infotest.Tagged{Info: file, Err: webdav.ErrNotImplemented}, "getcontenttype", "text/html; charset=utf-8"},
		{"§15.6 ETager", "/a", infotest.Tagged{Info: file, Tag: `W/"a<"`}, "getetag", "W/&#34;a&lt;&#34;"},
		{"§15.6", "/a", file, "getetag", etagOfFile},
		{"§15.6 ETager that does not know", "/a", infotest.Tagged{Info: file, Tag: "x", Err: webdav.ErrNotImplemented}, "getetag", etagOfFile},
		{"§15.6 ETager with an invalid tag", "/a", infotest.Tagged{Info: file, Tag: "x"}, "getetag", etagOfFile},
		{"§15.6 collection", "/a", collection, "getetag", place.EntityTag(t.Context(), collection)},
		{"§15.1 is in UTC", "/a", bornInfo{file, modified}, "creationdate", "2026-02-03T03:05:06Z"},
		{"§15.1 collection", "/a", bornInfo{collection, modified}, "creationdate", "2026-02-03T03:05:06Z"},
		{"§15.10", "/a", file, "supportedlock", exclusiveLock},
		{"§15.8 none", "/a", file, "lockdiscovery", ""},
		{"RFC 4331 §4", "/a", collection, "quota-used-bytes", "12"},
		{"RFC 4331 §3 less than nothing", "/a", collection, "quota-available-bytes", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, defined := lookupLive(davxml.Name(c.prop)).append(born, nil, resource{name: c.resource, info: c.info})
			if string(got) != c.want || !defined {
				t.Errorf("%s is %q, %t, want %q", c.prop, got, defined, c.want)
			}
		})
	}
	if got, _ := lookupLive(davxml.Name("supportedlock")).append(plain, nil, resource{name: "/a", info: file}); string(got) != exclusiveLock+sharedLock {
		t.Errorf("§15.10 with shared locks: %s", got)
	}
	for _, c := range []struct {
		info  fs.FileInfo
		prop  string
		where *liveValues
	}{
		{collection, "getcontentlength", born},
		{collection, "getcontenttype", born},
		{file, "quota-used-bytes", born},
		{file, "quota-available-bytes", born},
		{collection, "quota-used-bytes", plain},
		{collection, "quota-available-bytes", plain},
		{file, "creationdate", plain}, // the date is unknown (§15.1)
	} {
		if got, defined := lookupLive(davxml.Name(c.prop)).append(c.where, []byte("before"), resource{name: "/a", info: c.info}); defined || string(got) != "before" {
			t.Errorf("%s of a %s is %q", c.prop, c.info.Mode(), got)
		}
	}
	if live := lookupLive(davxml.Name("no-such-property")); live != nil {
		t.Errorf("found %s", live.name)
	}
	other := davxml.Name("getetag")
	other.Space = "dav:"
	if live := lookupLive(other); live != nil {
		t.Errorf("found %s in another namespace", live.name)
	}
}
