package dav_test

import (
	"context"
	"io/fs"
	"os"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

const (
	htmlContent = "<!DOCTYPE html><script>parent.owned = true</script>"
	svgContent  = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>parent.owned = true</script></svg>`
)

// TestUserContent checks that no stored file can run in the server's origin, however it
// is requested.
func TestUserContent(t *testing.T) {
	for _, c := range []struct {
		name, target, content string
		saved, pdf            bool
	}{
		{"HTML", "/a.html", htmlContent, true, false},
		{"HTML in capitals", "/a.HTM", htmlContent, true, false},
		{"XHTML", "/a.xhtml", htmlContent, true, false},
		{"SVG", "/a.svg", svgContent, true, false},
		{"XML", "/a.xml", svgContent, true, false},
		{"a script", "/a.js", "owned = true", true, false},
		{"a module", "/a.mjs", "owned = true", true, false},
		{"HTML by its content", "/page", htmlContent, true, false},
		{"XML by its content", "/xml", svgContent, true, false},
		{"what nobody knows", "/x.davd", "\x01\x02", true, false},
		{"an archive", "/a.zip", "PK", true, false},
		{"HTML that says it is text", "/a.txt", htmlContent, false, false},
		{"HTML that says it is an image", "/a.png", htmlContent, false, false},
		{"Markdown", "/a.md", "# a", false, false},
		{"a style sheet", "/a.css", "a {}", false, false},
		{"JSON", "/a.json", "{}", false, false},
		{"a film", "/a.mp4", "x", false, false},
		{"a PDF", "/a.pdf", "%PDF-1.7", false, true},
		{"a PDF by its content", "/pdf", "%PDF-1.7", false, true},
	} {
		s := serveLocal(t, &dav.Handler{}, layout{c.target: c.content})
		for _, long := range []bool{false, true} {
			if long {
				write(t, s.fsys, c.target, c.content+string(make([]byte, 20<<10)))
			}
			get := s.wants(200, "GET", c.target)
			answers := map[string]answer{
				"GET":             get,
				"HEAD":            s.wants(200, "HEAD", c.target),
				"RFC 9110 §14.2":  s.wants(206, "GET", c.target, "Range: bytes=0-0"),
				"two ranges":      s.wants(206, "GET", c.target, "Range: bytes=0-0,1-1"),
				"RFC 9111 §4.3.4": s.wants(304, "GET", c.target, "If-None-Match: "+get.header.Get("ETag")),
			}
			for how, a := range answers {
				told := a.header.Get("Content-Type") != "" || a.status == 304 && c.target[1] == 'a'
				policy, disposition := "sandbox", ""
				if c.pdf && told {
					policy = ""
				}
				if c.saved && told {
					disposition = "attachment"
				}
				if how == "HEAD" && !told && c.target[1] == 'a' {
					t.Errorf("%s: HEAD without a type: %v", c.name, a.header)
				}
				if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Content-Security-Policy") != policy ||
					a.header.Get("Content-Disposition") != disposition {
					t.Errorf("%s, %s, long: %v: want %q, %q: %v", c.name, how, long, policy, disposition, a.header)
				}
			}
		}
	}
}

// typed is storage that knows the content types of its files.
type typed struct {
	storage.FS
	contentType string
}

type typedFile struct {
	storage.File
	fsys *typed
}

type typedInfo struct {
	fs.FileInfo
	fsys *typed
}

func (t *typed) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	f, err := t.FS.OpenFile(ctx, name, flag, perm)
	return typedFile{f, t}, err
}

func (f typedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return typedInfo{info, f.fsys}, err
}

func (i typedInfo) ContentType(context.Context) (string, error) { return i.fsys.contentType, nil }

// TestUserContentTypes tests the headers for content types in different spellings.
func TestUserContentTypes(t *testing.T) {
	fsys := &typed{FS: webdav.NewMemFS()}
	s := serve(t, fsys, &dav.Handler{}, layout{"/f": "content"})
	for contentType, saved := range map[string]bool{
		"Text/HTML; charset=utf-8": true, " text/html": true, "text/html;": true, "text/xsl": true,
		"application/xhtml+xml": true, "application/rss+xml": true, "image/svg+xml": true, "IMAGE/SVG+XML": true,
		"image/svg+xml-compressed": true,
		"application/javascript":   true, "application/x-ecmascript": true, "text/jscript": true, "text/javascript1.5": true,
		"multipart/x-mixed-replace; boundary=x": true, "message/rfc822": true, "nonsense": true, "text/html, text/plain": true,
		"text/plain": false, "text/x-c": false, "image/jpeg": false, "audio/ogg": false, "video/webm": false, "font/woff2": false,
		"application/json": false, "Image/JPEG": false, " text/plain ; charset=utf-8": false,
	} {
		fsys.contentType = contentType
		a := s.wants(200, "GET", "/f")
		if got := a.header.Get("Content-Disposition") == "attachment"; got != saved || a.header.Get("Content-Security-Policy") != "sandbox" {
			t.Errorf("%s: %v", contentType, a.header)
		}
	}
}
