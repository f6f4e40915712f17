package dav

import (
	"io/fs"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/infotest"
)

func TestContentType(t *testing.T) {
	file := infotest.Info{Base: "a"}
	for _, c := range []struct {
		name string
		info fs.FileInfo
		want string
	}{
		{"/a.html", file, "text/html; charset=utf-8"},
		{"/A.HTML", file, "text/html; charset=utf-8"},
		{"/a.tar.gz", file, "application/gzip"},
		{"/a.docx", file, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"/a.js", file, "text/javascript; charset=utf-8"},
		{"/html", file, ""},
		{"/a.html/b", file, ""},
		{"/a.nosuchextension", file, ""},
		{"/.", file, ""},
		{"/a.html", infotest.Tagged{Info: file, Type: "a/b"}, "a/b"},
		{"/a.html", infotest.Tagged{Info: file, Type: "a/b", Err: webdav.ErrNotImplemented}, "text/html; charset=utf-8"},
		{"/a.html", infotest.Tagged{Info: file}, "text/html; charset=utf-8"},
	} {
		if got := browser.ContentType(t.Context(), c.name, c.info); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
